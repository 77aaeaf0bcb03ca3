//! Who may do what: the golden table, the page generated from it, and random roles against a naive twin.

mod table;
mod twin;

use std::path::Path;

/// `UPDATE_GOLDEN=1 cargo test --test it privileges` writes both files anew; a changed cell is a changed line.
#[test]
fn the_golden_table_is_up_to_date() {
    compare("tests/golden/privileges.txt", &table::golden());
}

#[test]
fn the_page_is_up_to_date() {
    compare("docs/privileges.md", &table::page());
}

fn compare(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{file} differs, first in {difference:?}; after a change on purpose: UPDATE_GOLDEN=1 cargo test --test it privileges"
    );
}
