//! A file that is read and never written: what redb writes while a store is looked through stays in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use redb::{BackendError, StorageBackend};

const BLOCK: usize = 4096;

/// The file below, and the blocks that were written over it. redb writes little while it opens a store: its head, and which pages
/// are free.
#[derive(Debug)]
pub(super) struct Overlay {
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    length: u64,
    /// What of the file still shows; less than its length once it was cut.
    below: u64,
    blocks: BTreeMap<u64, [u8; BLOCK]>,
}

impl Overlay {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, written: Mutex::new(Written { length, below: length, blocks: BTreeMap::new() }) })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Written) -> T) -> T {
        work(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Written {
    /// A block as it is now.
    fn block(&self, file: &File, number: u64) -> io::Result<[u8; BLOCK]> {
        if let Some(block) = self.blocks.get(&number) {
            return Ok(*block);
        }
        let mut block = [0; BLOCK];
        let start = number * BLOCK as u64;
        let there = usize::try_from(self.below.saturating_sub(start)).unwrap_or(BLOCK).min(BLOCK);
        file.read_exact_at(block.get_mut(..there).unwrap_or_default(), start)?;
        Ok(block)
    }
}

/// The parts of a range by blocks: block, where in it, and how much.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let (mut at, mut left) = (offset, length);
    std::iter::from_fn(move || {
        let within = usize::try_from(at % BLOCK as u64).ok()?;
        let part = left.min(BLOCK - within);
        let found = (at / BLOCK as u64, within, part);
        at += part as u64;
        left -= part;
        (part > 0).then_some(found)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|written| written.length))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|written| {
            let mut out = out;
            if offset.saturating_add(out.len() as u64) > written.length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if written.blocks.is_empty() && written.below == written.length {
                return self.file.read_exact_at(out, offset);
            }
            for (number, within, part) in parts(offset, out.len()) {
                let block = written.block(&self.file, number)?;
                let Some((to, rest)) = out.split_at_mut_checked(part) else { break };
                to.copy_from_slice(block.get(within..within + part).unwrap_or_default());
                out = rest;
            }
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.with(|written| {
            (written.length, written.below) = (length, written.below.min(length));
            drop(written.blocks.split_off(&length.div_ceil(BLOCK as u64)));
            // What is cut off is not there when the file grows again.
            let within = usize::try_from(length % BLOCK as u64).unwrap_or_default();
            if let Some(last) = written.blocks.get_mut(&(length / BLOCK as u64)) {
                last.get_mut(within..).unwrap_or_default().fill(0);
            }
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, mut data: &[u8]) -> io::Result<()> {
        self.with(|written| {
            for (number, within, part) in parts(offset, data.len()) {
                let mut block = written.block(&self.file, number)?;
                let Some((from, rest)) = data.split_at_checked(part) else { break };
                block.get_mut(within..within + part).unwrap_or_default().copy_from_slice(from);
                written.blocks.insert(number, block);
                data = rest;
            }
            Ok(())
        })
    }

    // The folder's own lock is held: nobody else has the file.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        Length(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..12_000_u64, proptest::collection::vec(any::<u8>(), 1..6000)).prop_map(|(at, data)| Step::Write(at, data)),
            1 => (0..20_000_u64).prop_map(Step::Length),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn reads_as_a_written_file_does(
            below in proptest::collection::vec(any::<u8>(), 0..12_000),
            steps in proptest::collection::vec(step(), 0..8),
        ) {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(&below).expect("a write");
            let overlay = Overlay::new(file.try_clone().expect("a handle")).expect("an overlay");
            let mut twin = below.clone();
            for step in steps {
                match step {
                    Step::Length(length) => {
                        overlay.set_len(length).expect("a length");
                        twin.resize(length as usize, 0);
                    }
                    // redb lengthens the file before it writes there.
                    Step::Write(at, data) if at as usize + data.len() <= twin.len() => {
                        overlay.write(at, &data).expect("a write");
                        twin[at as usize..at as usize + data.len()].copy_from_slice(&data);
                    }
                    Step::Write(..) => {}
                }
            }
            prop_assert_eq!(overlay.len().expect("a length"), twin.len() as u64);
            let mut found = vec![0; twin.len()];
            overlay.read(0, &mut found).expect("a read");
            prop_assert_eq!(found, twin);
            prop_assert!(overlay.read(overlay.len().expect("a length"), &mut [0]).is_err());
            let mut after = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut after)).expect("the file");
            prop_assert_eq!(after, below, "nothing was written");
        }
    }
}
