//! A stored document: a short head, then the source as it came.
//!
//! `version u64 | seq_no u64 | n u16 | n × (field u16, time i64) | source`, numbers big-endian.

use super::StoreError;

/// Everything of a document but its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub version: u64,
    pub seq_no: u64,
    /// Its entries in the ordered indices: field number, milliseconds.
    pub times: Vec<(u16, i64)>,
}

impl Head {
    pub(super) fn encode(&self, source: &[u8]) -> Vec<u8> {
        let count = u16::try_from(self.times.len()).unwrap_or(u16::MAX);
        let mut record = Vec::with_capacity(18 + self.times.len() * 10 + source.len());
        record.extend_from_slice(&self.version.to_be_bytes());
        record.extend_from_slice(&self.seq_no.to_be_bytes());
        record.extend_from_slice(&count.to_be_bytes());
        for (field, time) in self.times.iter().take(usize::from(count)) {
            record.extend_from_slice(&field.to_be_bytes());
            record.extend_from_slice(&time.to_be_bytes());
        }
        record.extend_from_slice(source);
        record
    }

    /// The head and the source.
    pub(super) fn decode(record: &[u8]) -> Result<(Self, &[u8]), StoreError> {
        parse(record).ok_or_else(|| StoreError::Record { key: "document".to_owned() })
    }
}

fn parse(record: &[u8]) -> Option<(Head, &[u8])> {
    let (version, rest) = record.split_first_chunk::<8>()?;
    let (seq_no, rest) = rest.split_first_chunk::<8>()?;
    let (count, mut rest) = rest.split_first_chunk::<2>()?;
    let mut times = Vec::with_capacity(usize::from(u16::from_be_bytes(*count)));
    for _ in 0..u16::from_be_bytes(*count) {
        let (field, after) = rest.split_first_chunk::<2>()?;
        let (time, after) = after.split_first_chunk::<8>()?;
        times.push((u16::from_be_bytes(*field), i64::from_be_bytes(*time)));
        rest = after;
    }
    Some((Head { version: u64::from_be_bytes(*version), seq_no: u64::from_be_bytes(*seq_no), times }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(
            version in any::<u64>(),
            times in proptest::collection::vec(any::<(u16, i64)>(), 0..5),
            source in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let head = Head { version, seq_no: 3, times };
            let record = head.encode(&source);
            let (found, rest) = Head::decode(&record).expect("a record");
            prop_assert_eq!(found, head);
            prop_assert_eq!(rest, source.as_slice());
        }

        #[test]
        fn never_panics(record in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Head::decode(&record);
        }
    }
}
