//! The tables of the file, and how their keys are made.

use redb::TableDefinition;

/// `format`, `next_index`.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// Whatever parts of the node keep beside documents.
pub(super) const STATE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("state");
/// Index metadata by name.
pub(super) const INDICES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("indices");
/// Per index number: documents, next sequence number, bytes of the sources.
pub(super) const COUNTERS: TableDefinition<'static, u32, (u64, u64, u64)> = TableDefinition::new("counters");
/// Index number and id → record.
pub(super) const DOCUMENTS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("documents");
/// Index number, field number, time, id: documents in time order.
pub(super) const ORDERED: TableDefinition<'static, &[u8], ()> = TableDefinition::new("ordered");

pub(super) const FORMAT: &str = "format";
pub(super) const NEXT_INDEX: &str = "next_index";
pub(super) const FORMAT_VERSION: u64 = 1;

/// Length of what stands before the id in a key of [`ORDERED`].
const ORDERED_PREFIX: usize = 14;

pub(super) fn document_key(index: u32, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + id.len());
    key.extend_from_slice(&index.to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

pub(super) fn document_id(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(4..)?).ok()
}

/// All keys of an index lie from this one up to that of `index + 1`.
pub(super) fn index_start(index: u32) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

pub(super) fn index_end(index: u32) -> Vec<u8> {
    // Numbers are given out from 0 upwards; the last one is never reached.
    index.saturating_add(1).to_be_bytes().to_vec()
}

pub(super) fn ordered_key(index: u32, field: u16, time: i64, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(ORDERED_PREFIX + id.len());
    key.extend_from_slice(&index.to_be_bytes());
    key.extend_from_slice(&field.to_be_bytes());
    key.extend_from_slice(&sortable(time).to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

pub(super) fn ordered_parts(key: &[u8]) -> Option<(i64, &str)> {
    let time = u64::from_be_bytes(key.get(6..ORDERED_PREFIX)?.try_into().ok()?);
    Some((unsortable(time), std::str::from_utf8(key.get(ORDERED_PREFIX..)?).ok()?))
}

/// Flips the sign, so that bytes sort as numbers do.
fn sortable(time: i64) -> u64 {
    time.cast_unsigned() ^ (1 << 63)
}

fn unsortable(time: u64) -> i64 {
    (time ^ (1 << 63)).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_times_do(a in any::<i64>(), b in any::<i64>(), id in ".{0,8}") {
            prop_assert_eq!(ordered_key(1, 2, a, "x").cmp(&ordered_key(1, 2, b, "x")), a.cmp(&b));
            let key = ordered_key(1, 2, a, &id);
            prop_assert_eq!(ordered_parts(&key), Some((a, id.as_str())));
            prop_assert!(key < index_end(1) && key >= index_start(1));
        }
    }
}
