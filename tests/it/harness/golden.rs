//! Files that are generated, committed, and reviewed when they change.

use std::path::Path;

/// Compares a file of the repository with what it should be; `UPDATE_GOLDEN=1` writes it anew.
pub(crate) fn compare(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{file} differs, first in {difference:?}; after a change on purpose: UPDATE_GOLDEN=1 cargo test --test it"
    );
}
