//! `roles.yml`: roles in Elasticsearch's format, of which the gateway uses the cluster and run-as privileges.
//!
//! Everything else is the cluster's own business. It is checked by its shape, so that a slip is found before it is
//! deployed, and then left.

use std::collections::HashMap;

use super::file::{NameProblem, check_name};
use super::nearest::nearest;
use super::pattern::{Pattern, PatternProblem};
use super::yaml::{self, Member, Node, Place, Value};
use crate::policy::{Privilege, PrivilegeProblem, Role, RoleName, RoleProblem, privilege};

/// Longest `description`. Elasticsearch: `Validation.Roles.MAX_DESCRIPTION_LENGTH`.
const DESCRIPTION_CHARACTERS_MAX: usize = 1000;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct RolesProblem {
    pub place: Place,
    pub cause: RolesCause,
}

/// What is wrong with a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolesCause {
    #[error("not YAML: {0}")]
    Yaml(String),
    #[error("expected {expected}, found {found}")]
    Expected { expected: &'static str, found: &'static str },
    #[error("unknown key [{0}]")]
    UnknownKey(String),
    #[error("[{0}] is missing")]
    Missing(&'static str),
    #[error("role: {0}")]
    Name(NameProblem),
    #[error("the description has more than {DESCRIPTION_CHARACTERS_MAX} characters")]
    Description,
    #[error("{}", told(.0))]
    Role(RoleProblem),
    /// Of a role's cluster privileges.
    #[error("{problem}{}", nearest.map(|name| format!("; did you mean [{name}]?")).unwrap_or_default())]
    Privilege { problem: PrivilegeProblem, nearest: Option<&'static str> },
    #[error("run_as: {0}")]
    RunAs(PatternProblem),
}

/// A role's problem with its cause, in one line.
fn told(problem: &RoleProblem) -> String {
    let cause = std::error::Error::source(problem).map(|cause| format!(": {cause}"));
    format!("{problem}{}", cause.unwrap_or_default())
}

/// The roles of the file.
#[derive(Clone, Debug, Default)]
pub struct RolesFile {
    roles: Vec<Role>,
    places: HashMap<RoleName, Place>,
}

type Read<T> = Result<T, RolesProblem>;

/// What a key of a role must hold.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    TextOrTexts,
    Boolean,
    /// A text, a map or nothing.
    Query,
    Map,
    /// Anything: written by Elasticsearch itself, and ignored by it.
    Ignored,
    /// A list of maps with these keys; `true`: required.
    Entries(&'static [(&'static str, Shape, bool)]),
    Fields,
}

const INDEX: &[(&str, Shape, bool)] = &[
    ("names", Shape::TextOrTexts, true),
    ("privileges", Shape::Texts, true),
    ("field_security", Shape::Fields, false),
    ("query", Shape::Query, false),
    ("allow_restricted_indices", Shape::Boolean, false),
];
const REMOTE_INDEX: &[(&str, Shape, bool)] = &[
    ("clusters", Shape::Texts, true),
    ("names", Shape::TextOrTexts, true),
    ("privileges", Shape::Texts, true),
    ("field_security", Shape::Fields, false),
    ("query", Shape::Query, false),
    ("allow_restricted_indices", Shape::Boolean, false),
];
const REMOTE_CLUSTER: &[(&str, Shape, bool)] = &[("clusters", Shape::Texts, true), ("privileges", Shape::Texts, true)];
const APPLICATION: &[(&str, Shape, bool)] =
    &[("application", Shape::Text, true), ("privileges", Shape::Texts, true), ("resources", Shape::Texts, true)];

impl RolesFile {
    /// Reads the file: one key a role, with `cluster`, `run_as`, `indices`, `applications`, `global`,
    /// `remote_indices`, `remote_cluster`, `metadata` and `description`.
    ///
    /// # Errors
    /// The first problem of every role; Elasticsearch skips such a role with a line in its log.
    ///
    /// Source: Elasticsearch, `RoleDescriptor.java`, `FileRolesStore.java`.
    pub fn parse(text: &str) -> Result<Self, Vec<RolesProblem>> {
        let malformed = |malformed: yaml::Malformed| vec![problem(malformed.place, RolesCause::Yaml(malformed.detail))];
        let node = yaml::parse(text).map_err(malformed)?;
        let entries = match node.value {
            Value::Null => Vec::new(),
            Value::Map(members) => members,
            _ => return Err(vec![expected(&node, "a map of roles")]),
        };
        let (mut file, mut problems) = (Self::default(), Vec::new());
        for entry in &entries {
            match read_role(entry) {
                Ok(role) => file.add(role, entry.place),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }

    /// The roles, in the order of the file.
    pub fn into_roles(self) -> Vec<Role> {
        self.roles
    }

    /// The roles, in the order of the file.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Where a role stands, for messages about it.
    pub fn place(&self, name: &RoleName) -> Option<Place> {
        self.places.get(name).copied()
    }

    fn add(&mut self, role: Role, place: Place) {
        self.places.insert(role.name().clone(), place);
        self.roles.push(role);
    }
}

fn read_role(entry: &Member) -> Read<Role> {
    check_name(&entry.key).map_err(|cause| problem(entry.place, RolesCause::Name(cause)))?;
    let (mut cluster, mut run_as, mut cluster_place) = (Vec::new(), Vec::new(), entry.place);
    let members = match &entry.node.value {
        Value::Map(members) => members.as_slice(),
        Value::Null => &[], // `role:` with nothing grants nothing
        _ => return Err(expected(&entry.node, "a map of privileges")),
    };
    for member in members {
        match member.key.as_str() {
            "cluster" => (cluster, cluster_place) = (privileges(&member.node)?, member.node.place),
            "run_as" => run_as = patterns(&member.node)?,
            "description" => check_description(&member.node)?,
            "indices" | "index" => check(&member.node, Shape::Entries(INDEX))?,
            "applications" => check(&member.node, Shape::Entries(APPLICATION))?,
            "remote_indices" => check(&member.node, Shape::Entries(REMOTE_INDEX))?,
            "remote_cluster" => check(&member.node, Shape::Entries(REMOTE_CLUSTER))?,
            "global" | "metadata" => check(&member.node, Shape::Map)?,
            "transient_metadata" => check(&member.node, Shape::Ignored)?,
            unknown => return Err(problem(member.place, RolesCause::UnknownKey(unknown.to_owned()))),
        }
    }
    let role = Role::new(RoleName::new(&entry.key), cluster, run_as);
    let role = role.map_err(|cause| problem(cluster_place, RolesCause::Role(cause)))?;
    let reserved = crate::policy::Roles::with_custom(vec![role.clone()]).err();
    reserved.map_or(Ok(role), |cause| Err(problem(entry.place, RolesCause::Role(cause))))
}

fn check_description(node: &Node) -> Read<()> {
    let Value::Text(text) = &node.value else { return Err(expected(node, "a text")) };
    if text.chars().count() > DESCRIPTION_CHARACTERS_MAX {
        return Err(problem(node.place, RolesCause::Description));
    }
    Ok(())
}

fn check(node: &Node, shape: Shape) -> Read<()> {
    match (shape, &node.value) {
        (Shape::Ignored, _)
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Query, Value::Text(_) | Value::Map(_) | Value::Null)
        | (Shape::Map, Value::Map(_) | Value::Null)
        | (Shape::Text | Shape::TextOrTexts, Value::Text(_)) => Ok(()),
        (Shape::Texts | Shape::TextOrTexts, _) => texts(node).map(|_| ()),
        (Shape::Entries(keys), Value::List(entries)) => entries.iter().try_for_each(|entry| check_entry(entry, keys)),
        (Shape::Fields, Value::Map(_)) => {
            check_entry(node, &[("grant", Shape::Texts, false), ("except", Shape::Texts, false)])
        }
        (Shape::Fields, Value::Null) => Ok(()),
        (Shape::Text, _) => Err(expected(node, "a text")),
        (Shape::Boolean, _) => Err(expected(node, "true or false")),
        (Shape::Query, _) => Err(expected(node, "a text or a map")),
        (Shape::Map | Shape::Fields, _) => Err(expected(node, "a map")),
        (Shape::Entries(_), _) => Err(expected(node, "a list of maps")),
    }
}

fn check_entry(node: &Node, keys: &[(&'static str, Shape, bool)]) -> Read<()> {
    let Value::Map(members) = &node.value else { return Err(expected(node, "a map")) };
    for member in members {
        let unknown = || problem(member.place, RolesCause::UnknownKey(member.key.clone()));
        let (_, shape, _) = keys.iter().find(|(key, ..)| *key == member.key).ok_or_else(unknown)?;
        check(&member.node, *shape)?;
    }
    let missing = keys.iter().find(|(key, _, required)| *required && !members.iter().any(|member| member.key == *key));
    missing.map_or(Ok(()), |(key, ..)| Err(problem(node.place, RolesCause::Missing(key))))
}

fn texts(node: &Node) -> Read<Vec<String>> {
    let Value::List(items) = &node.value else { return Err(expected(node, "a list of texts")) };
    let text = |item: &Node| {
        if let Value::Text(text) = &item.value { Ok(text.clone()) } else { Err(expected(item, "a text")) }
    };
    items.iter().map(text).collect()
}

/// Names, actions and patterns over actions.
fn privileges(node: &Node) -> Read<Vec<String>> {
    each_text(node, |text| {
        Privilege::resolve(text).err().map(|problem| {
            let nearest = nearest(text, privilege::names());
            RolesCause::Privilege { problem, nearest }
        })
    })
}

/// Names of users, wildcards and `/regular expressions/`.
fn patterns(node: &Node) -> Read<Vec<String>> {
    each_text(node, |text| Pattern::parse(text).err().map(RolesCause::RunAs))
}

/// A list of texts of which `refuse` refuses none.
fn each_text(node: &Node, refuse: impl Fn(&str) -> Option<RolesCause>) -> Read<Vec<String>> {
    let texts = texts(node)?;
    let Value::List(items) = &node.value else { return Ok(texts) };
    match items.iter().zip(&texts).find_map(|(item, text)| Some((item.place, refuse(text)?))) {
        Some((place, cause)) => Err(problem(place, cause)),
        None => Ok(texts),
    }
}

fn expected(node: &Node, expected: &'static str) -> RolesProblem {
    problem(node.place, RolesCause::Expected { expected, found: node.value.kind() })
}

const fn problem(place: Place, cause: RolesCause) -> RolesProblem {
    RolesProblem { place, cause }
}

#[cfg(test)]
mod tests;
