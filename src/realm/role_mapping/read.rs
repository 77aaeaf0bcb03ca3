//! Reads both forms of `role_mapping.yml`, told apart entry by entry.

use super::dn::Dn;
use super::rule::{Field, Rule, Wanted};
use super::{Mapping, RoleMapping};
use crate::policy::RoleName;
use crate::realm::file::{NameProblem, check_name};
use crate::realm::pattern::PatternProblem;
use crate::realm::yaml::{self, Member, Node, Place, Value};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct RoleMappingProblem {
    pub place: Place,
    pub cause: RoleMappingCause,
}

/// What is wrong with a role mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleMappingCause {
    #[error("not YAML: {0}")]
    Yaml(String),
    #[error("expected {expected}, found {found}")]
    Expected { expected: &'static str, found: &'static str },
    #[error("unknown key [{0}]")]
    UnknownKey(String),
    #[error("[{0}] is missing")]
    Missing(&'static str),
    #[error("role templates are not supported: name the roles under [roles]")]
    Templates,
    #[error("[{0}] is not a distinguished name, such as [cn=admins,dc=example,dc=com]")]
    NotDn(String),
    #[error("role: {0}")]
    Role(NameProblem),
    #[error("unknown field [{0}]: expected username, dn, groups, realm.name or metadata.NAME")]
    UnknownField(String),
    #[error("unknown rule [{0}]: expected field, any, all or, inside all, except")]
    UnknownRule(String),
    #[error("[except] may only stand inside [all]")]
    ExceptOutsideAll,
    #[error("expected one key, found {0}")]
    NotOneKey(usize),
    #[error(transparent)]
    Pattern(#[from] PatternProblem),
}

type Read<T> = Result<T, RoleMappingProblem>;

impl RoleMapping {
    /// Reads the file: `role: [DN, ...]`, and `name: { roles: [...], enabled: true, rules: {...} }` as in the
    /// role-mapping API.
    ///
    /// # Errors
    /// The first problem of every entry.
    pub fn parse(text: &str) -> Result<Self, Vec<RoleMappingProblem>> {
        let node = yaml::parse(text)
            .map_err(|malformed| vec![problem(malformed.place, RoleMappingCause::Yaml(malformed.detail))])?;
        let entries = match node.value {
            Value::Null => Vec::new(),
            Value::Map(members) => members,
            _ => return Err(vec![expected(&node, "a map of roles or mappings")]),
        };
        let (mut mappings, mut problems) = (Vec::new(), Vec::new());
        for entry in &entries {
            match read_entry(entry) {
                Ok(mapping) => mappings.extend(mapping),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { mappings }) } else { Err(problems) }
    }
}

fn read_entry(entry: &Member) -> Read<Option<Mapping>> {
    match &entry.node.value {
        Value::List(names) => read_names(entry, names).map(Some),
        Value::Map(members) => read_mapping(entry.place, members),
        _ => Err(expected(&entry.node, "a list of distinguished names, or a mapping")),
    }
}

/// `role: [DN, ...]`: who is one of them, or in a group that is.
fn read_names(entry: &Member, names: &[Node]) -> Read<Mapping> {
    let role = role_name(entry.place, &entry.key)?;
    let mut wanted = Vec::new();
    for node in names {
        let name = text(node)?;
        if Dn::parse(name).is_none() {
            return Err(problem(node.place, RoleMappingCause::NotDn(name.to_owned())));
        }
        wanted.push(Wanted::exact(name));
    }
    let rule = Rule::Any(vec![Rule::Field(Field::Dn, wanted.clone()), Rule::Field(Field::Groups, wanted)]);
    Ok(Mapping { roles: vec![role], rule })
}

/// `None` for one that is not enabled.
fn read_mapping(place: Place, members: &[Member]) -> Read<Option<Mapping>> {
    let (mut roles, mut rule, mut enabled) = (None, None, true);
    for member in members {
        match member.key.as_str() {
            "roles" => roles = Some(read_roles(&member.node)?),
            "rules" => rule = Some(read_rule(&member.node, false)?),
            "enabled" => enabled = boolean(&member.node)?,
            "metadata" => _ = map(&member.node)?,
            "role_templates" => return Err(problem(member.place, RoleMappingCause::Templates)),
            unknown => return Err(problem(member.place, RoleMappingCause::UnknownKey(unknown.to_owned()))),
        }
    }
    let roles = roles.ok_or_else(|| problem(place, RoleMappingCause::Missing("roles")))?;
    let rule = rule.ok_or_else(|| problem(place, RoleMappingCause::Missing("rules")))?;
    Ok(enabled.then_some(Mapping { roles, rule }))
}

fn read_roles(node: &Node) -> Read<Vec<RoleName>> {
    list(node)?.iter().map(|role| role_name(role.place, text(role)?)).collect()
}

fn read_rule(node: &Node, inside_all: bool) -> Read<Rule> {
    let rule = only(node)?;
    let inner = |inside_all| list(&rule.node)?.iter().map(|node| read_rule(node, inside_all)).collect::<Read<Vec<_>>>();
    match rule.key.as_str() {
        "any" => inner(false).map(Rule::Any),
        "all" => inner(true).map(Rule::All),
        "field" => read_field(&rule.node),
        "except" if inside_all => read_rule(&rule.node, false).map(|rule| Rule::Except(Box::new(rule))),
        "except" => Err(problem(rule.place, RoleMappingCause::ExceptOutsideAll)),
        unknown => Err(problem(rule.place, RoleMappingCause::UnknownRule(unknown.to_owned()))),
    }
}

fn read_field(node: &Node) -> Read<Rule> {
    let member = only(node)?;
    let unknown = || problem(member.place, RoleMappingCause::UnknownField(member.key.clone()));
    let field = Field::parse(&member.key).ok_or_else(unknown)?;
    let wanted = match &member.node.value {
        Value::List(values) if values.is_empty() => return Err(expected(&member.node, "at least one value")),
        Value::List(values) => values.iter().map(read_wanted).collect::<Read<_>>()?,
        _ => vec![read_wanted(&member.node)?],
    };
    Ok(Rule::Field(field, wanted))
}

fn read_wanted(node: &Node) -> Read<Wanted> {
    match &node.value {
        Value::Null => Ok(Wanted::Null),
        Value::Bool(value) => Ok(Wanted::Bool(*value)),
        Value::Integer(value) => Ok(Wanted::Number(*value)),
        Value::Text(text) => Wanted::parse(text).map_err(|cause| problem(node.place, cause.into())),
        Value::Float | Value::List(_) | Value::Map(_) => {
            Err(expected(node, "a text, a whole number, true, false or null"))
        }
    }
}

/// The one key of a map.
fn only(node: &Node) -> Read<&Member> {
    match map(node)? {
        [member] => Ok(member),
        members => Err(problem(node.place, RoleMappingCause::NotOneKey(members.len()))),
    }
}

fn map(node: &Node) -> Read<&[Member]> {
    if let Value::Map(members) = &node.value { Ok(members) } else { Err(expected(node, "a map")) }
}

fn list(node: &Node) -> Read<&[Node]> {
    if let Value::List(items) = &node.value { Ok(items) } else { Err(expected(node, "a list")) }
}

fn text(node: &Node) -> Read<&str> {
    if let Value::Text(text) = &node.value { Ok(text) } else { Err(expected(node, "a text")) }
}

fn boolean(node: &Node) -> Read<bool> {
    if let Value::Bool(value) = &node.value { Ok(*value) } else { Err(expected(node, "true or false")) }
}

fn role_name(place: Place, name: &str) -> Read<RoleName> {
    check_name(name).map_err(|cause| problem(place, RoleMappingCause::Role(cause)))?;
    Ok(RoleName::new(name))
}

fn expected(node: &Node, expected: &'static str) -> RoleMappingProblem {
    problem(node.place, RoleMappingCause::Expected { expected, found: node.value.kind() })
}

const fn problem(place: Place, cause: RoleMappingCause) -> RoleMappingProblem {
    RoleMappingProblem { place, cause }
}
