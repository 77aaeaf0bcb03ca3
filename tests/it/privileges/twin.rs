//! `authorize` against the plainest thing that can be said about roles: expand, match, any.

use std::collections::BTreeMap;

use mlgate::policy::operation::Demand;
use mlgate::policy::{Principal, RealmRef, Rights, Role, RoleName, Roles, authorize, catalog, has_privilege};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Names with what they grant and what they leave out, for the privileges that touch ML.
const NAMED: &[(&str, &[&str], &str)] = &[
    ("all", &["cluster:*"], ""),
    ("manage", &["cluster:*"], "cluster:admin/xpack/security/"),
    ("monitor", &["cluster:monitor/*"], ""),
    ("manage_ml", &["cluster:admin/xpack/ml/*", "cluster:monitor/xpack/ml/*"], ""),
    ("monitor_ml", &["cluster:monitor/xpack/ml/*"], ""),
    (
        "manage_inference",
        &[
            "cluster:admin/xpack/inference/*",
            "cluster:monitor/xpack/inference*",
            "cluster:admin/xpack/ml/trained_models/deployment/start",
            "cluster:admin/xpack/ml/trained_models/deployment/stop",
            "cluster:monitor/xpack/ml/trained_models/deployment/infer",
        ],
        "",
    ),
    (
        "monitor_inference",
        &["cluster:monitor/xpack/inference*", "cluster:monitor/xpack/ml/trained_models/deployment/infer"],
        "",
    ),
    ("none", &[], ""),
    ("manage_pipeline", &["cluster:admin/ingest/pipeline/*"], ""),
];

const PATTERNS: &[&str] = &[
    "cluster:admin/xpack/ml/job",
    "cluster:admin/xpack/ml/job/open",
    "cluster:*/xpack/ml/*/get",
    "cluster:*",
    "CLUSTER:Monitor/*",
    "cluster:admin/xpack/ml/datafeed?/",
    "cluster:admin/*/st?p",
    "cluster:admin/xpack/ml/",
    "cluster:monitor/xpack/ml/",
    "cluster:internal/",
    r"cluster:admin/xpack/ml/job/\*",
    "cluster:admin/xpack/security/",
    "cluster:*a*i*n*/ml*/*p*",
];

/// Actions beside those of the table, in which the named privileges differ.
const OTHER_ACTIONS: &[&str] = &[
    "cluster:admin/xpack/security/user/put",
    "cluster:internal/xpack/ml/datafeed/isolate",
    "cluster:monitor/health",
    "cluster:admin/ingest/pipeline/put",
    "cluster:admin/xpack/ml/x",
    "cluster:monitor/xpack/ml/x",
    "cluster:x",
    "indices:data/read/search",
    "indices:admin/template/put",
];

type Written = Vec<(&'static str, Vec<&'static str>)>;

proptest! {
    #[test]
    fn an_action_is_granted_as_the_twin_says(
        written in roles(),
        assigned in subsequence(ROLE_NAMES, 0..=ROLE_NAMES.len()),
        action in action(),
    ) {
        let (roles, principal) = built(&written, &assigned);
        let granted = authorize(&principal, Demand::Action(action), &roles);
        prop_assert_eq!(granted.is_ok(), grants(&written, &assigned, action));
        match granted {
            Ok(grant) => prop_assert!(grant.role().is_some_and(|role| principal.roles.contains(role) && roles.find(role).is_some())),
            Err(denial) => {
                prop_assert_eq!(denial.effective_roles.len() + denial.missing_roles.len(), assigned.len());
                prop_assert!(denial.effective_roles.is_sorted() && denial.missing_roles.is_sorted());
            }
        }
    }

    /// A named privilege is held only by those to whom every action that it covers is granted.
    #[test]
    fn a_name_is_granted_only_with_all_that_it_covers(
        written in roles(),
        assigned in subsequence(ROLE_NAMES, 0..=ROLE_NAMES.len()),
        name in select(NAMED),
    ) {
        let (roles, principal) = built(&written, &assigned);
        let holds = has_privilege(&principal, name.0, &roles);
        prop_assert_eq!(authorize(&principal, Demand::Privileges(Box::leak(Box::new([name.0]))), &roles).is_ok(), holds);
        let misses = universe().find(|action| covers(name.0, action) && !grants(&written, &assigned, action));
        if holds {
            prop_assert_eq!(misses, None);
        }
        let has_it_written = written.iter().filter(|(role, _)| assigned.contains(role)).any(|(_, privileges)| privileges.contains(&name.0));
        prop_assert!(holds || !has_it_written);
    }
}

/// `ghost` is never defined.
const ROLE_NAMES: &[&str] = &["one", "two", "three", "ghost"];

fn roles() -> impl Strategy<Value = Written> {
    let privilege = prop_oneof![3 => select(NAMED).prop_map(|named| named.0), 2 => select(PATTERNS)];
    prop::collection::vec(prop::collection::vec(privilege, 0..3), 3)
        .prop_map(|privileges| ["one", "two", "three"].into_iter().zip(privileges).collect())
}

fn action() -> impl Strategy<Value = &'static str> {
    select(universe().collect::<Vec<_>>())
}

fn universe() -> impl Iterator<Item = &'static str> {
    let of_table = catalog::operations().filter_map(|operation| match operation.demand {
        Demand::Action(action) => Some(action),
        Demand::Privileges(_) => None,
    });
    of_table.chain(OTHER_ACTIONS.iter().copied())
}

fn built(written: &Written, assigned: &[&str]) -> (Roles, Principal) {
    let role = |(name, cluster): &(&str, Vec<&str>)| {
        Role::new(RoleName::new(*name), cluster.iter().map(|text| (*text).to_owned()).collect(), Vec::new()).unwrap()
    };
    let principal = Principal {
        username: "jane".to_owned(),
        realm: RealmRef { name: "file1".to_owned(), kind: "file" },
        roles: assigned.iter().map(|role| RoleName::new(*role)).collect(),
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    };
    (Roles::with_custom(written.iter().map(role).collect()).unwrap(), principal)
}

fn grants(written: &Written, assigned: &[&str], action: &str) -> bool {
    let effective = written.iter().filter(|(role, _)| assigned.contains(role));
    effective.flat_map(|(_, privileges)| privileges).any(|privilege| covers(privilege, action))
}

fn covers(privilege: &str, action: &str) -> bool {
    match NAMED.iter().find(|(name, _, _)| *name == privilege) {
        Some((name, granted, left_out)) => {
            let templates = ["all", "manage"].contains(name) && action.starts_with("indices:admin/template/");
            let granted = templates || granted.iter().any(|pattern| matches(pattern.as_bytes(), action.as_bytes()));
            granted && (left_out.is_empty() || !action.starts_with(left_out))
        }
        None => matches(format!("{}*", privilege.to_lowercase()).as_bytes(), action.as_bytes()),
    }
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => matches(rest, text) || (!text.is_empty() && matches(pattern, &text[1..])),
        ([b'?', rest @ ..], [_, tail @ ..]) => matches(rest, tail),
        ([b'\\', literal, rest @ ..], [byte, tail @ ..]) => literal == byte && matches(rest, tail),
        ([literal, rest @ ..], [byte, tail @ ..]) => literal == byte && matches(rest, tail),
        ([], _) | (_, []) => false,
    }
}
