//! Reads Elasticsearch's `roles.yml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::role::{Role, RoleProblem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleDocument {
    #[serde(default)]
    cluster: Vec<String>,
    #[serde(default)]
    indices: Vec<IndicesDocument>,
    #[serde(default)]
    #[expect(dead_code, reason = "for Kibana; grants nothing that the node has")]
    applications: Vec<serde_json::Value>,
    #[serde(default)]
    run_as: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "says nothing about rights")]
    metadata: Option<serde_json::Value>,
    #[serde(default)]
    #[expect(dead_code, reason = "says nothing about rights")]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicesDocument {
    names: Names,
    #[serde(default)]
    privileges: Vec<String>,
    #[serde(default)]
    field_security: Option<serde_json::Value>,
    #[serde(default)]
    query: Option<serde_json::Value>,
    #[serde(default)]
    allow_restricted_indices: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// Reads the whole file; an empty one has no roles.
///
/// # Errors
/// The text of the first problem, with its place.
pub(super) fn parse(text: &str) -> Result<Vec<Role>, String> {
    let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if blank {
        return Ok(Vec::new());
    }
    let documents: BTreeMap<String, RoleDocument> =
        serde_saphyr::from_str(text).map_err(|problem| problem.to_string())?;
    documents.iter().map(|(name, document)| role(name, document).map_err(|problem| problem.to_string())).collect()
}

fn role(name: &str, document: &RoleDocument) -> Result<Role, RoleProblem> {
    // `run_as` is the gateway's business: the node has no run-as header.
    let _ = &document.run_as;
    let mut role = Role::new(name, &borrowed(&document.cluster))?;
    for indices in &document.indices {
        for (feature, given) in [("field_security", &indices.field_security), ("query", &indices.query)] {
            // To leave these out would show what the role hides.
            if given.is_some() {
                return Err(RoleProblem::Feature { role: name.to_owned(), feature });
            }
        }
        let names = match &indices.names {
            Names::One(name) => vec![name.as_str()],
            Names::Several(names) => borrowed(names),
        };
        role = role.on(&names, &borrowed(&indices.privileges), indices.allow_restricted_indices)?;
    }
    Ok(role)
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_elasticsearchs_format() {
        let text = "ops:\n  cluster: [ manage_ml, 'cluster:monitor/main' ]\n  indices:\n    - names: [ 'logs-*', '/tmp-[0-9]+/' ]\n      \
                    privileges: [ read ]\n  applications:\n    - application: kibana-.kibana\n      privileges: [ read ]\n      resources: [ '*' ]\n";
        let roles = parse(text).expect("roles");
        assert_eq!(roles.len(), 1);
    }

    #[test]
    fn names_what_it_cannot_do() {
        let refused = |text: &str| parse(text).map(|_| ()).expect_err("refused");
        assert_eq!(refused("a:\n  cluster: [ fly ]\n"), "role [a]: unknown cluster privilege [fly]");
        let hidden =
            "a:\n  indices:\n    - names: x\n      privileges: [ read ]\n      field_security: { grant: [ a ] }\n";
        assert_eq!(refused(hidden), "role [a]: the node has no [field_security]");
        assert!(refused("a:\n  clusters: []\n").contains("clusters"));
    }
}
