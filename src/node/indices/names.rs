//! Which index names are allowed, and which indices are hidden or restricted.
//!
//! Source: elasticsearch, `MetadataCreateIndexService.validateIndexOrAliasName`.

use crate::node::store::OperationError;

const NAME_BYTES_MAX: usize = 255;
const FORBIDDEN: [char; 10] = ['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ','];

/// # Errors
/// `invalid_index_name_exception` with Elasticsearch's text.
pub fn check(name: &str) -> Result<(), OperationError> {
    let problem = if name.is_empty() {
        "must not be empty"
    } else if name.contains(FORBIDDEN) {
        "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',']"
    } else if name.contains('#') {
        "must not contain '#'"
    } else if name.contains(':') {
        "must not contain ':'"
    } else if name.starts_with(['_', '-', '+']) {
        "must not start with '_', '-', or '+'"
    } else if name == "." || name == ".." {
        "must not be '.' or '..'"
    } else if name.len() > NAME_BYTES_MAX {
        "index name is too long"
    } else if name.to_lowercase() != name {
        "must be lowercase"
    } else {
        return Ok(());
    };
    Err(OperationError::IndexName { index: name.to_owned(), problem })
}

/// Indices that a plain wildcard does not match, whatever their settings say.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(".ml-")
}

/// System indices: only roles that allow restricted indices reach them.
pub fn is_restricted(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        ".ml-config",
        ".ml-meta",
        ".ml-inference",
        ".security",
        ".kibana",
        ".async-search",
        ".fleet-",
        ".transform-internal-",
        ".enrich-",
    ];
    matches!(name, ".tasks" | ".watches") || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_as_elasticsearch_does() {
        for (name, problem) in [
            ("A", "must be lowercase"),
            ("_a", "must not start with '_', '-', or '+'"),
            ("a#b", "must not contain '#'"),
            ("a:b", "must not contain ':'"),
            ("..", "must not be '.' or '..'"),
        ] {
            let refused = check(name).expect_err("a bad name").to_string();
            assert_eq!(refused, format!("Invalid index name [{name}], {problem}"));
        }
        assert!(check("a b").is_err() && check(&"a".repeat(256)).is_err());
        assert_eq!(check(".ml-anomalies-shared"), Ok(()));
    }
}
