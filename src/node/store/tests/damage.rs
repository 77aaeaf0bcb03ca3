//! A store whose file was damaged is refused, or it is the store that it was.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::super::*;
use super::{contents, ids, put, source};

/// What happened to the file.
#[derive(Clone, Debug)]
enum Damage {
    Flipped(Vec<(Index, u8)>),
    Overwritten(Index, Vec<u8>),
    Page(Index, u8),
    Exchanged(Index, Index),
    Cut(Index),
    Longer(usize, u8),
}

const PAGE: usize = 4096;

impl Damage {
    fn apply(&self, file: &mut Vec<u8>) {
        let page = |index: &Index, file: &[u8]| index.index(file.len() / PAGE) * PAGE;
        match self {
            Self::Flipped(flips) => {
                for (at, bit) in flips {
                    let at = at.index(file.len());
                    file[at] ^= 1 << bit;
                }
            }
            Self::Overwritten(at, bytes) => {
                let at = at.index(file.len());
                for (place, byte) in file[at..].iter_mut().zip(bytes) {
                    *place = *byte;
                }
            }
            Self::Page(at, byte) => {
                let at = page(at, file);
                file[at..at + PAGE].fill(*byte);
            }
            Self::Exchanged(one, other) => {
                let (one, other) = (page(one, file), page(other, file));
                let held = file[one..one + PAGE].to_vec();
                file.copy_within(other..other + PAGE, one);
                file[other..other + PAGE].copy_from_slice(&held);
            }
            Self::Cut(at) => file.truncate(at.index(file.len())),
            Self::Longer(more, byte) => file.resize(file.len() + more, *byte),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => proptest::collection::vec((any::<Index>(), 0..8_u8), 1..4).prop_map(Damage::Flipped),
        2 => (any::<Index>(), proptest::collection::vec(any::<u8>(), 1..200)).prop_map(|(at, bytes)| Damage::Overwritten(at, bytes)),
        2 => (any::<Index>(), prop_oneof![Just(0), Just(0xFF), any::<u8>()]).prop_map(|(at, byte)| Damage::Page(at, byte)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Damage::Exchanged(one, other)),
        2 => any::<Index>().prop_map(Damage::Cut),
        1 => (prop_oneof![1..5000_usize, Just(PAGE), Just(16 * PAGE)], any::<u8>()).prop_map(|(more, byte)| Damage::Longer(more, byte)),
    ]
}

/// All that the store holds, as a text.
fn everything(store: &Store) -> String {
    let read = store.read(|reader| {
        let mut found = String::new();
        for index in reader.catalogue().indices() {
            let _ = writeln!(found, "{} {:?} {:?}", index.name, index.ordered, reader.counters(index.number)?);
            reader.scan(index.number, |id, head, source| {
                let _ = writeln!(found, "{id} {head:?} {}", String::from_utf8_lossy(source));
                Ok::<_, StoreError>(Step::Next)
            })?;
            for field in index.ordered.values() {
                reader.in_order((index.number, *field), (i64::MIN, i64::MAX), None, true, |time, id| {
                    let _ = writeln!(found, "{time} {id}");
                    Ok::<_, StoreError>(Step::Next)
                })?;
            }
        }
        let _ = writeln!(found, "{:?}", reader.state_prefix("")?);
        Ok(found)
    });
    read.expect("a store that opened can be read")
}

/// A store as it was left, and as it was when it was open; all that it held at the end, and one commit before.
struct Stores {
    files: [Vec<u8>; 2],
    held: [String; 2],
}

fn stores() -> Stores {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.redb");
    let store = Store::open(folder.path()).expect("a store");
    let mut held = [String::new(), String::new()];
    for round in 0..30 {
        held.swap(0, 1);
        let mut batch = Batch::new();
        for number in 0..40 {
            let size = if number == 7 { 9000 } else { number * 3 };
            let document = json!({"at": round * 1000 + number, "day": "2026-01-03", "text": "x".repeat(size as usize)});
            batch.index(["a", "b"][round as usize % 2], format!("{round}-{number}"), source(document));
        }
        batch.delete("a", format!("{}-3", round - 2));
        batch.put_state("round", round.to_string());
        runtime.block_on(store.commit(batch)).expect("a commit");
        held[1] = everything(&store);
    }
    let open = fs::read(&file).expect("the file");
    store.close();
    drop(store);
    Stores { files: [fs::read(&file).expect("the file"), open], held }
}

/// Whether the store was refused; otherwise it is what it was, and goes on.
fn opens(folder: &Path, held: &[String; 2]) -> Result<bool, TestCaseError> {
    let before = contents(folder);
    let store = match Store::open(folder) {
        Ok(store) => store,
        Err(refused) => {
            let damaged = matches!(refused, OpenError::Damaged { .. } | OpenError::Version { .. });
            prop_assert!(damaged && !refused.to_string().contains('\n'), "{refused:?}");
            prop_assert!(contents(folder) == before, "something was written");
            return Ok(false);
        }
    };
    prop_assert!(held.contains(&everything(&store)), "the store holds something else");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let written = runtime.block_on(put(&store, "later", json!({"x": 1})));
    prop_assert!(written.is_ok(), "{written:?}");
    let after = everything(&store);
    store.close();
    drop(store);
    let again = Store::open(folder).map_err(|refused| TestCaseError::fail(refused.to_string()))?;
    prop_assert!(everything(&again) == after, "the store holds something else after a write");
    Ok(true)
}

#[test]
fn a_damaged_file_is_refused_or_is_the_store_that_it_was() {
    let stores = stores();
    for file in &stores.files {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(120)
        });
        let (refused, opened) = (Cell::new(0), Cell::new(0));
        let outcome = runner.run(&damage(), |damage| {
            let mut bytes = file.clone();
            damage.apply(&mut bytes);
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("store.redb"), &bytes).expect("a file");
            let seen = if opens(folder.path(), &stores.held)? { &opened } else { &refused };
            seen.set(seen.get() + 1);
            Ok(())
        });
        outcome.expect("each damage is found or harmless");
        println!("{} bytes: {} refused, {} opened", file.len(), refused.get(), opened.get());
    }
}

#[tokio::test]
async fn a_panic_of_a_read_leaves_the_store_to_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    put(&store, "1", json!({"x": 1})).await.expect("a write");
    let read = store.read(|_| -> Result<(), StoreError> { panic!("a page is damaged") });
    assert!(matches!(read, Err(StoreError::Unavailable { .. })));
    put(&store, "2", json!({"x": 1})).await.expect("a write");
    assert_eq!(ids(&store), ["1", "2"]);
}
