//! A role: cluster privileges, and index privileges on patterns of names.

use thiserror::Error;

use super::privileges::{Actions, Scope};
use crate::node::indices::wildcard;

/// What a role gives.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) cluster: Vec<Actions>,
    pub(super) indices: Vec<IndexGrant>,
}

/// Actions on the indices that the names match.
#[derive(Clone, Debug)]
pub(super) struct IndexGrant {
    names: Vec<Names>,
    actions: Vec<Actions>,
    restricted: bool,
}

#[derive(Clone, Debug)]
enum Names {
    Pattern(String),
    Expression(regex_lite::Regex),
    /// Elasticsearch's `/~(([.]|ilm-history-).*)/`: neither hidden by a dot nor of index lifecycle management.
    Ordinary,
}

const ORDINARY: &str = "/~(([.]|ilm-history-).*)/";

/// A role that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum RoleProblem {
    #[error("role [{role}]: unknown {scope} privilege [{privilege}]")]
    Privilege { role: String, scope: &'static str, privilege: String },
    #[error("role [{role}]: the node cannot read the index name pattern [{pattern}]")]
    Pattern { role: String, pattern: String },
    #[error("role [{role}]: the node has no [{feature}]")]
    Feature { role: String, feature: &'static str },
}

impl Role {
    pub(super) fn new(name: &str, cluster: &[&str]) -> Result<Self, RoleProblem> {
        let cluster =
            cluster.iter().map(|privilege| actions(name, Scope::Cluster, privilege)).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), cluster, indices: Vec::new() })
    }

    /// Adds privileges on indices; `restricted`: system indices too.
    pub(super) fn on(mut self, names: &[&str], privileges: &[&str], restricted: bool) -> Result<Self, RoleProblem> {
        let role = self.name.clone();
        let names = names.iter().map(|pattern| Names::parse(&role, pattern)).collect::<Result<_, _>>()?;
        let actions =
            privileges.iter().map(|privilege| actions(&role, Scope::Index, privilege)).collect::<Result<_, _>>()?;
        self.indices.push(IndexGrant { names, actions, restricted });
        Ok(self)
    }
}

fn actions(role: &str, scope: Scope, privilege: &str) -> Result<Actions, RoleProblem> {
    Actions::of(scope, privilege).ok_or_else(|| RoleProblem::Privilege {
        role: role.to_owned(),
        scope: if scope == Scope::Cluster { "cluster" } else { "index" },
        privilege: privilege.to_owned(),
    })
}

impl IndexGrant {
    pub(super) fn covers(&self, index: &str) -> bool {
        (self.restricted || !crate::node::indices::names::is_restricted(index))
            && self.names.iter().any(|names| names.matches(index))
    }

    pub(super) fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|actions| actions.allows(action))
    }

    pub(super) fn contains(&self, asked: &Actions) -> bool {
        self.actions.iter().any(|actions| actions.contains(asked))
    }
}

impl Names {
    fn parse(role: &str, pattern: &str) -> Result<Self, RoleProblem> {
        if pattern == ORDINARY {
            return Ok(Self::Ordinary);
        }
        let Some(inner) = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) else {
            return Ok(Self::Pattern(pattern.to_owned()));
        };
        let problem = || RoleProblem::Pattern { role: role.to_owned(), pattern: pattern.to_owned() };
        // Lucene's own operators have no counterpart here: better no role than one that means something else.
        if inner.contains(['~', '&', '@', '#', '<', '>', '"']) {
            return Err(problem());
        }
        regex_lite::Regex::new(&format!("^(?:{inner})$")).map(Self::Expression).map_err(|_| problem())
    }

    fn matches(&self, index: &str) -> bool {
        match self {
            Self::Pattern(pattern) => wildcard::glob(pattern, index, true),
            Self::Expression(expression) => expression.is_match(index),
            Self::Ordinary => !index.starts_with('.') && !index.starts_with("ilm-history-"),
        }
    }
}
