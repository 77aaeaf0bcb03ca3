//! Cluster privileges: names, action names, and patterns over action names.

mod inclusion;
mod named;
pub(super) mod pattern;

use std::fmt;
use std::sync::LazyLock;

use pattern::Pattern;

/// A cluster privilege of a role, resolved as Elasticsearch's `ClusterPrivilegeResolver` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// As the role writes it.
    written: String,
    /// The known name, if it has one.
    name: Option<&'static str>,
    granted: Vec<Pattern>,
    excluded: Vec<Pattern>,
}

/// Why a cluster privilege of a role is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivilegeProblem {
    /// Neither a known name nor under the patterns of `all`.
    Unknown(String),
    /// `/.../`, a Lucene regular expression.
    Regex(String),
}

impl Privilege {
    /// Resolves a name, an action name such as `cluster:admin/xpack/ml/job/open`, or a pattern such as
    /// `cluster:monitor/xpack/ml/*`. Letter case does not matter; an action name or pattern also covers what
    /// continues it (Elasticsearch appends `*`).
    ///
    /// # Errors
    /// [`PrivilegeProblem`] for everything else.
    pub fn resolve(written: &str) -> Result<Self, PrivilegeProblem> {
        let lower = written.to_lowercase();
        if is_cluster_action(&lower) {
            let granted = vec![Pattern::parse(&format!("{lower}*"))];
            return Ok(Self { written: written.to_owned(), name: None, granted, excluded: Vec::new() });
        }
        match find(&lower) {
            Some(named) => Ok(Self { written: written.to_owned(), ..named.privilege.clone() }),
            None if lower.starts_with('/') => Err(PrivilegeProblem::Regex(written.to_owned())),
            None => Err(PrivilegeProblem::Unknown(lower)),
        }
    }

    /// As the role writes it.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// Whether it covers `action`, a whole action name.
    pub fn grants(&self, action: &str) -> bool {
        self.granted.iter().any(|pattern| pattern.matches(action))
            && !self.excluded.iter().any(|pattern| pattern.matches(action))
    }
}

/// Whether `privileges` together grant everything that the named privilege does. An unknown name is never granted.
pub(super) fn together_imply(privileges: &[&Privilege], name: &str) -> bool {
    let Some(wanted) = find(name) else { return false };
    let by_name = |privilege: &&Privilege| privilege.name.is_some_and(|name| wanted.implied_by.contains(&name));
    privileges.iter().any(by_name) || inclusion::includes(privileges, &[&wanted.privilege])
}

/// The known privilege names, from the least to the most powerful: by how many others each implies, then by name.
///
/// Source: `ClusterPrivilegeResolver.sortByAccessLevel`.
pub fn names() -> impl Iterator<Item = &'static str> {
    ORDERED.iter().map(|named| named.name)
}

/// The named privileges that grant `action`, in the order of [`names`].
pub(super) fn names_granting(action: &str) -> Vec<&'static str> {
    ORDERED.iter().filter(|named| named.privilege.grants(action)).map(|named| named.name).collect()
}

/// The named privileges each of which implies all of `wanted`, in the order of [`names`].
pub(super) fn names_implying(wanted: &[&str]) -> Vec<&'static str> {
    let implies = |name: &str, wanted: &str| find(wanted).is_some_and(|wanted| wanted.implied_by.contains(&name));
    names().filter(|name| wanted.iter().all(|wanted| implies(name, wanted))).collect()
}

/// The named privileges that list some of `actions` by their exact names, and which.
pub(super) fn exact(actions: &[&'static str]) -> Vec<(&'static str, Vec<&'static str>)> {
    let listed = |patterns: &[&str]| -> Vec<&'static str> {
        actions.iter().filter(|action| patterns.contains(*action)).copied().collect()
    };
    let named = named::DEFINITIONS.iter().map(|(name, granted, _)| (*name, listed(granted)));
    named.filter(|(_, listed)| !listed.is_empty()).collect()
}

fn find(name: &str) -> Option<&'static Named> {
    ORDERED.iter().find(|named| named.name == name)
}

fn is_cluster_action(lower: &str) -> bool {
    named::ALL_PATTERNS.iter().any(|pattern| Pattern::parse(pattern).matches(lower))
}

/// A known privilege among the others.
struct Named {
    name: &'static str,
    privilege: Privilege,
    /// The names that grant all that it does, its own among them.
    implied_by: Vec<&'static str>,
}

/// In the order of [`names`]. Compared once, every pair; the first roles that are built pay for it, no request.
static ORDERED: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let all: Vec<(&'static str, Privilege)> = named::DEFINITIONS.iter().map(defined).collect();
    let implied_by = |inner: &Privilege| -> Vec<&'static str> {
        let implies = |outer: &Privilege| inclusion::includes(&[outer], &[inner]);
        all.iter().filter(|(_, outer)| implies(outer)).map(|(name, _)| *name).collect()
    };
    let named = |(name, privilege): &(&'static str, Privilege)| Named {
        name,
        privilege: privilege.clone(),
        implied_by: implied_by(privilege),
    };
    let mut table: Vec<Named> = all.iter().map(named).collect();
    let implied: Vec<&'static str> = table.iter().flat_map(|named| named.implied_by.clone()).collect();
    table.sort_by_key(|named| (implied.iter().filter(|name| **name == named.name).count(), named.name));
    table
});

fn defined((name, granted, excluded): &named::Definition) -> (&'static str, Privilege) {
    let parse = |patterns: &[&str]| patterns.iter().map(|pattern| Pattern::parse(pattern)).collect();
    let written = (*name).to_owned();
    (name, Privilege { written, name: Some(name), granted: parse(granted), excluded: parse(excluded) })
}

impl fmt::Display for PrivilegeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let names = names().collect::<Vec<_>>().join(",");
                write!(
                    formatter,
                    "unknown cluster privilege [{name}]. a privilege must be either one of the predefined cluster \
                     privilege names [{names}] or a pattern over one of the available cluster actions"
                )
            }
            Self::Regex(written) => write!(
                formatter,
                "unsupported cluster privilege [{written}]: regular expressions are not cluster privileges; \
                 write a pattern with [*] such as [cluster:monitor/xpack/ml/*]"
            ),
        }
    }
}

impl std::error::Error for PrivilegeProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_denial_text_is_elasticsearchs() {
        assert_eq!(names_granting("cluster:admin/xpack/ml/job/open"), ["manage_ml", "manage", "all"]);
        let info = names_granting("cluster:monitor/xpack/ml/info/get");
        assert_eq!(info, ["monitor_ml", "manage_ml", "monitor", "manage", "all"]);
        let start = names_granting("cluster:admin/xpack/ml/trained_models/deployment/start");
        assert_eq!(start, ["manage_inference", "manage_ml", "manage", "all"]);
        let structure = names_granting("cluster:monitor/text_structure/findstructure");
        assert_eq!(structure, ["monitor_text_structure", "monitor", "manage", "all"]);
    }

    #[test]
    fn implication_is_inclusion_of_what_is_granted() {
        assert_eq!(names_implying(&["manage_ml"]), ["manage_ml", "manage", "all"]);
        assert_eq!(names_implying(&["manage", "manage_ml"]), ["manage", "all"]);
        assert_eq!(names_implying(&["all"]), ["all"]);
        let halves =
            ["cluster:admin/xpack/ml/", "CLUSTER:monitor/xpack/ml/"].map(|text| Privilege::resolve(text).unwrap());
        let [admin, monitor] = &halves;
        assert!(together_imply(&[admin, monitor], "manage_ml"));
        assert!(!together_imply(&[admin], "manage_ml"));
        assert!(!together_imply(&[admin, monitor], "no_such_name"));
        let manage_and_security = ["manage", "manage_security"].map(|text| Privilege::resolve(text).unwrap());
        let [manage, security] = &manage_and_security;
        assert!(!together_imply(&[manage, security], "all")); // delegate_pki is in neither
    }

    #[test]
    fn names_actions_and_patterns_resolve() {
        let granted = |written: &str, action: &str| Privilege::resolve(written).unwrap().grants(action);
        assert!(granted("Manage_ML", "cluster:admin/xpack/ml/job/open"));
        assert!(granted("cluster:admin/xpack/ml/JOB/open", "cluster:admin/xpack/ml/job/open"));
        assert!(granted("cluster:admin/xpack/ml/datafeed", "cluster:admin/xpack/ml/datafeeds/put"));
        assert!(granted("cluster:*/ml/job/?pen", "cluster:admin/xpack/ml/job/open"));
        assert!(!granted(r"cluster:admin/xpack/ml/job/\?pen", "cluster:admin/xpack/ml/job/open"));
        assert!(!granted("manage", "cluster:admin/xpack/security/user/put"));
        assert!(granted("manage", "cluster:internal/xpack/ml/datafeed/isolate"));
        assert!(!granted("manage_ml", "cluster:internal/xpack/ml/datafeed/isolate"));
    }

    #[test]
    fn what_is_no_privilege_is_refused() {
        assert_eq!(Privilege::resolve("mange_ml"), Err(PrivilegeProblem::Unknown("mange_ml".into())));
        assert_eq!(Privilege::resolve("*"), Err(PrivilegeProblem::Unknown("*".into())));
        assert_eq!(Privilege::resolve("/cluster:.*/"), Err(PrivilegeProblem::Regex("/cluster:.*/".into())));
        let text = Privilege::resolve("MANGE_ML").unwrap_err().to_string();
        assert!(text.starts_with("unknown cluster privilege [mange_ml]. a privilege must be either one of the"));
        assert!(text.ends_with(",all] or a pattern over one of the available cluster actions"), "{text}");
    }
}
