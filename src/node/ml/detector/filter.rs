//! The filters that the scopes of custom rules refer to.

use std::collections::{BTreeMap, BTreeSet};

/// What a filter lists: whole values, and values with a `*` at the start, the end or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    whole: BTreeSet<String>,
    starts: Vec<String>,
    ends: Vec<String>,
    within: Vec<String>,
}

impl Filter {
    pub(crate) fn new(items: impl IntoIterator<Item = String>) -> Self {
        let mut filter = Self::default();
        for item in items {
            match (item.strip_prefix('*'), item.strip_suffix('*')) {
                (None, None) => {
                    filter.whole.insert(item);
                }
                (None, Some(start)) => filter.starts.push(start.to_owned()),
                (Some(end), None) => filter.ends.push(end.to_owned()),
                (Some(rest), Some(_)) => filter.within.push(rest.strip_suffix('*').unwrap_or_default().to_owned()),
            }
        }
        filter
    }

    pub(crate) fn lists(&self, value: &str) -> bool {
        self.whole.contains(value)
            || self.starts.iter().any(|start| value.starts_with(start.as_str()))
            || self.ends.iter().any(|end| value.ends_with(end.as_str()))
            || self.within.iter().any(|part| value.contains(part.as_str()))
    }
}

/// Filters by their id.
pub(crate) type Filters = BTreeMap<String, Filter>;

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn stars_stand_at_the_ends_only() {
        let filter = Filter::new(["safe.org", "*.net", "10.*", "*test*", "a*b"].map(str::to_owned));
        for (value, listed) in [
            ("safe.org", true),
            ("unsafe.org", false),
            ("x.net", true),
            ("10.0.0.1", true),
            ("110.0.0.1", false),
            ("my-test-host", true),
            ("a*b", true),
            ("aXb", false),
        ] {
            assert_eq!(filter.lists(value), listed, "{value}");
        }
        assert!(Filter::new(["*".to_owned()]).lists("anything"));
        assert!(!Filter::default().lists(""));
    }
}
