//! The query parameters that all writes share. One node has every write on disk and visible at once, so that the valid ones
//! change nothing.

use crate::node::http::{ApiError, Query};

/// Copies that a shard has here.
const COPIES: u32 = 1;

/// # Errors
/// 400 for a value that is not of its kind, and for copies that one node cannot have.
pub(super) fn check(query: &Query) -> Result<(), ApiError> {
    query.duration("timeout")?;
    match query.text("refresh") {
        None | Some("" | "true" | "false" | "wait_for") => {}
        Some(other) => {
            return Err(ApiError::illegal_argument(format!("Unknown value for refresh: [{other}].")));
        }
    }
    match query.text("wait_for_active_shards").filter(|text| *text != "all") {
        None => Ok(()),
        Some(text) => match text.parse::<u32>() {
            Ok(wanted) if wanted <= COPIES => Ok(()),
            Ok(wanted) => Err(ApiError::illegal_argument(format!(
                "[wait_for_active_shards] of [{wanted}] is not supported by this node, which has one copy of each shard"
            ))),
            Err(_) => Err(ApiError::illegal_argument(format!("cannot parse ActiveShardCount[{text}]"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for (query, reason) in [
            ("refresh=maybe", "Unknown value for refresh: [maybe]."),
            ("wait_for_active_shards=x", "cannot parse ActiveShardCount[x]"),
            ("wait_for_active_shards=-1", "cannot parse ActiveShardCount[-1]"),
            (
                "wait_for_active_shards=2",
                "[wait_for_active_shards] of [2] is not supported by this node, which has one copy of each shard",
            ),
            (
                "timeout=5",
                "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized",
            ),
        ] {
            let refused = check(&Query::parse(query).expect("a query")).expect_err(query);
            assert_eq!(refused.reason(), reason);
        }
        let fine = "refresh=wait_for&timeout=1m&wait_for_active_shards=all";
        assert!(check(&Query::parse(fine).expect("a query")).is_ok());
    }
}
