//! As whom the holders of roles may act: `run_as` of `roles.yml`.

use std::collections::HashMap;

use super::pattern::Pattern;
use crate::policy::{Principal, RoleName, Roles};

/// The patterns of all roles that have some. The default allows nobody anything.
#[derive(Debug, Default)]
pub struct RunAs {
    by_role: HashMap<RoleName, Vec<Pattern>>,
}

impl RunAs {
    /// A pattern that cannot be read matches nobody; [`super::roles_file`] has refused it before.
    pub fn of(roles: &Roles) -> Self {
        let with_some = roles.iter().filter(|role| !role.run_as().is_empty());
        let patterns = |written: &[String]| written.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        Self { by_role: with_some.map(|role| (role.name().clone(), patterns(role.run_as()))).collect() }
    }

    /// Whether a role of the principal names that user, by a name, a wildcard or a `/regular expression/`.
    pub fn allows(&self, principal: &Principal, username: &str) -> bool {
        let assigned = principal.roles.iter().filter_map(|name| self.by_role.get(name));
        assigned.flatten().any(|pattern| pattern.matches(username))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{RealmRef, Rights, Role};

    fn holder(role: &str) -> Principal {
        Principal {
            username: "deputy".to_owned(),
            realm: RealmRef { name: "file1".to_owned(), kind: "file" },
            roles: vec![RoleName::new("viewer"), RoleName::new(role)],
            rights: Rights::Roles,
            groups: Vec::new(),
            full_name: None,
            email: None,
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn allowed(pattern: &str, username: &str) -> bool {
        let role = Role::new(RoleName::new("deputies"), Vec::new(), vec![pattern.to_owned()]).unwrap();
        let run_as = RunAs::of(&Roles::with_custom(vec![role]).unwrap());
        assert!(!run_as.allows(&holder("others"), username), "{pattern} is of a role that is not held");
        run_as.allows(&holder("deputies"), username)
    }

    #[test]
    fn patterns_match_whole_names() {
        #[rustfmt::skip] // a table
        let cases = [
            ("x", "x", true), ("x", "xx", false), ("x", "X", false), ("", "x", false), ("*", "x", true),
            ("svc-*", "svc-1", true), ("svc-*", "xsvc-1", false), ("a?c", "abc", true), ("a?c", "ac", false), ("*a*b", "xaab", true),
            ("*a*b", "ba", false), ("/svc-[0-9]+/", "svc-12", true), ("/svc-[0-9]+/", "svc-", false),
            ("/svc/", "svc-1", false), ("/a|b/", "b", true), ("/a|b/", "ab", false),
        ];
        for (pattern, username, expected) in cases {
            assert_eq!(allowed(pattern, username), expected, "{pattern} on {username}");
        }
    }

    #[test]
    fn what_cannot_be_read_matches_nobody() {
        for pattern in ["/a", "/(/", "/~a/", "/a&b/"] {
            assert!(!allowed(pattern, "a") && !allowed(pattern, pattern), "{pattern}");
        }
    }

    #[test]
    fn the_built_in_superuser_acts_as_anybody() {
        let run_as = RunAs::of(&Roles::builtin());
        assert!(run_as.allows(&holder("superuser"), "anybody"));
        assert!(!run_as.allows(&holder("machine_learning_admin"), "anybody"));
    }
}
