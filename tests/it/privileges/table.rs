//! Every built-in role against every operation, as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Method;
use mlgate::policy::catalog;
use mlgate::policy::classify::{Classified, classify};
use mlgate::policy::operation::{Demand, UpgradeRule};
use mlgate::policy::target::Target;
use mlgate::policy::{Principal, RealmRef, Rights, Role, RoleName, Roles, authorize};

/// One request a rule of the perimeter.
const PERIMETER: [&str; 4] =
    ["POST /_features/_reset", "POST /_migration/system_features", "POST /_tasks/_cancel", "PUT /.ml-config/_doc/1"];

struct Row {
    route: String,
    demand: Demand,
    upgrade_mode: UpgradeRule,
}

/// Roles with the same answers to everything.
struct Group {
    letter: char,
    roles: Vec<String>,
    answers: Vec<bool>,
}

/// The table under review: a line an operation, a column a group of roles.
pub(super) fn golden() -> String {
    let (rows, groups) = (rows(), groups());
    let mut text = String::from(
        "# Every built-in role x every operation. Generated: UPDATE_GOLDEN=1 cargo test --test it privileges\n\
         # + allowed, . denied (403). Last column: while upgrade mode is on, for those allowed.\n#\n",
    );
    for group in &groups {
        writeln!(text, "# {}: {}", group.letter, group.roles.join(" ")).unwrap();
    }
    let letters: String = groups.iter().map(|group| group.letter).collect();
    let width = rows.iter().map(|row| row.route.len()).max().unwrap();
    writeln!(text, "\n{:width$} {letters} upgrade mode", "").unwrap();
    for (index, row) in rows.iter().enumerate() {
        let cells: String = groups.iter().map(|group| if group.answers[index] { '+' } else { '.' }).collect();
        writeln!(text, "{:width$} {cells} {}", row.route, upgrade_mode(row.upgrade_mode)).unwrap();
    }
    text
}

/// `docs/privileges.md`.
pub(super) fn page() -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str("\n## Built-in roles\n\n| roles | what they may do |\n| --- | --- |\n");
    let (rows, groups) = (rows(), groups());
    for group in &groups {
        let allowed = group.answers.iter().filter(|allowed| **allowed).count();
        let roles = group.roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| {roles} | {allowed} of {} operations |", rows.len()).unwrap();
    }
    for (title, belongs) in SECTIONS {
        write!(
            text,
            "\n## {title}\n\n| request | action | granted by | in upgrade mode |\n| --- | --- | --- | --- |\n"
        )
        .unwrap();
        for row in rows.iter().filter(|row| section(&row.route) == *belongs) {
            let action = match row.demand {
                Demand::Action(action) => format!("`{action}`"),
                Demand::Privileges(_) => "none; the text names the route".to_owned(),
            };
            let granting = row.demand.granting_privileges().join(", ");
            writeln!(text, "| `{}` | {action} | {granting} | {} |", row.route, upgrade_mode(row.upgrade_mode)).unwrap();
        }
    }
    text
}

const INTRODUCTION: &str = "# Privileges\n\n\
Generated from the tables in `src/policy`: `UPDATE_GOLDEN=1 cargo test --test it privileges`. The same data, role by\n\
role, is `tests/golden/privileges.txt`.\n\n\
A role grants cluster privileges: names such as `manage_ml`, action names such as `cluster:admin/xpack/ml/job/open`, or\n\
patterns over them. A caller with several roles has all that one of them grants. Anything else is denied with 403, before\n\
upgrade mode is looked at. `granted by` lists the named privileges that do, from the least to the most powerful, in the\n\
order in which the denial lists them. A request in the perimeter reaches ML without an ML path; where a body decides\n\
(`_bulk` lines, `_reindex`, `_aliases`, cluster settings, restore) it is not listed here.\n";

const SECTIONS: &[(&str, &str)] = &[
    ("Machine learning", "_ml"),
    ("Inference", "_inference"),
    ("Compact tables", "_cat"),
    ("The perimeter", "perimeter"),
    ("Names of 7.x", "_xpack"),
];

fn section(route: &str) -> &str {
    let first = route.split('/').nth(1).unwrap();
    if PERIMETER.contains(&route) { "perimeter" } else { first }
}

fn upgrade_mode(rule: UpgradeRule) -> &'static str {
    match rule {
        UpgradeRule::Passes => "passes",
        UpgradeRule::Refused => "429",
        UpgradeRule::RefusedAsReset => "409",
        UpgradeRule::RefusedUnlessManage => "429 without manage",
        UpgradeRule::Switches => "switches it",
    }
}

fn rows() -> Vec<Row> {
    let operations = catalog::operations().map(|operation| Row {
        route: format!("{} {}", operation.method, operation.template),
        demand: operation.demand,
        upgrade_mode: operation.upgrade_mode,
    });
    operations.chain(PERIMETER.into_iter().map(perimeter_row)).collect()
}

fn perimeter_row(request: &str) -> Row {
    let (method, target) = request.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    match classify(&method, Target::parse(target).unwrap()) {
        Ok(Classified::Perimeter(rule)) => {
            Row { route: request.to_owned(), demand: rule.demand, upgrade_mode: rule.upgrade_mode }
        }
        other => panic!("{request} is {other:?}"),
    }
}

/// From the most powerful to the least, then by name.
fn groups() -> Vec<Group> {
    let (rows, roles) = (rows(), Roles::builtin());
    let mut by_answers: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    for name in roles.iter().map(Role::name) {
        let holder = holder(name);
        let answers = rows.iter().map(|row| authorize(&holder, row.demand, &roles).is_ok()).collect();
        by_answers.entry(answers).or_default().push(name.to_string());
    }
    let mut sorted: Vec<_> = by_answers.into_iter().collect();
    sorted.sort_by_key(|(answers, roles)| (answers.iter().filter(|allowed| !**allowed).count(), roles.clone()));
    ('A'..).zip(sorted).map(|(letter, (answers, roles))| Group { letter, roles, answers }).collect()
}

fn holder(role: &RoleName) -> Principal {
    Principal {
        username: "holder".to_owned(),
        realm: RealmRef { name: "file1".to_owned(), kind: "file" },
        roles: vec![role.clone()],
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    }
}
