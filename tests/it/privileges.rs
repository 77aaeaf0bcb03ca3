//! Who may do what: the golden table, the page generated from it, and random roles against a naive twin.

mod table;
mod twin;

use crate::harness::golden::compare;

/// `UPDATE_GOLDEN=1 cargo test --test it privileges` writes both files anew; a changed cell is a changed line.
#[test]
fn the_golden_table_is_up_to_date() {
    compare("tests/golden/privileges.txt", &table::golden());
}

#[test]
fn the_page_is_up_to_date() {
    compare("docs/privileges.md", &table::page());
}
