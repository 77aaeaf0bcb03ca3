use proptest::prelude::*;

use super::*;

/// Jane, as the jwt realm may know her.
fn roles(file: &str, groups: &[&str]) -> Vec<String> {
    let mapping = RoleMapping::parse(file).unwrap_or_else(|problems| panic!("{problems:?}"));
    let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
    let text = |text: &str| Fact::Text(text.to_owned());
    let number = |text: &str| Fact::Number(text.parse().unwrap());
    let metadata = Facts::from([
        ("jwt_claim_level".to_owned(), vec![number("7")]),
        ("jwt_claim_share".to_owned(), vec![number("1.0"), number("2.5"), number("1e3")]),
        ("jwt_claim_large".to_owned(), vec![number("9223372036854775807"), number("18446744073709551615")]),
        ("jwt_claim_beta".to_owned(), vec![Fact::Bool(true)]),
        ("jwt_claim_said".to_owned(), vec![text("true"), text("7")]),
        ("jwt_claim_scope".to_owned(), vec![text("read"), text("write")]),
    ]);
    let subject = Subject {
        username: "jane",
        dn: Some("CN=Jane Doe, OU=People, DC=example, DC=com"),
        groups: &groups,
        metadata: &metadata,
        realm: "jwt1",
    };
    mapping.roles(&subject).iter().map(ToString::to_string).collect()
}

fn rule_holds(rule: &str) -> bool {
    let file = format!("m: {{ roles: [r], rules: {rule} }}");
    !roles(&file, &["ml-admins", "cn=ops,ou=groups,dc=example,dc=com"]).is_empty()
}

fn problems(file: &str) -> Vec<String> {
    RoleMapping::parse(file).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn gives_roles_to_distinguished_names_of_users_and_groups() {
    let file = "admin:\n  - cn=jane doe,ou=people,dc=example,dc=com\nops:\n  - 'CN=Ops, OU=Groups, DC=example, DC=com'\n  - cn=nobody\nnone: []\n";
    assert_eq!(roles(file, &[]), ["admin"]);
    assert_eq!(roles(file, &["cn=ops,ou=groups,dc=example,dc=com"]), ["admin", "ops"]);
}

#[test]
fn gives_the_roles_of_every_mapping_that_holds_and_is_enabled() {
    let file = "
one: { roles: [b, a], enabled: true, rules: { field: { username: jane } }, metadata: { version: 1 } }
two: { roles: [b, c], rules: { field: { username: 'j*' } } }
off: { roles: [d], enabled: false, rules: { field: { username: jane } } }
other: { roles: [e], rules: { field: { username: joe } } }
";
    assert_eq!(roles(file, &[]), ["a", "b", "c"]);
    assert_eq!(RoleMapping::parse(file).unwrap().role_names().len(), 4);
    assert_eq!(roles("", &["any"]), Vec::<String>::new());
}

#[test]
fn the_rule_language_is_elasticsearchs() {
    #[rustfmt::skip] // a table
    let rules = [
        ("{ field: { username: jane } }", true), ("{ field: { username: Jane } }", false), ("{ field: { username: [joe, jane] } }", true),
        ("{ field: { username: '*' } }", true), ("{ field: { username: 'j?ne' } }", false), ("{ field: { username: '/ja.e/' } }", true),
        ("{ field: { username: '/an/' } }", false), ("{ field: { username: null } }", false),
        ("{ field: { realm.name: jwt1 } }", true), ("{ field: { realm.name: 'jwt*' } }", true), ("{ field: { realm.name: file1 } }", false),
        ("{ field: { groups: ml-admins } }", true), ("{ field: { groups: ML-Admins } }", true), ("{ field: { groups: ml } }", false),
        ("{ field: { groups: 'ml-*' } }", true), ("{ field: { groups: 'CN=Ops, OU=groups, DC=example, DC=com' } }", true),
        ("{ field: { groups: '*,dc=example,dc=com' } }", true), ("{ field: { groups: '*,ou=groups,DC=Example,dc=com' } }", true),
        ("{ field: { groups: '*,dc=example,dc=org' } }", false), ("{ field: { groups: null } }", false),
        ("{ field: { dn: 'cn=jane doe,ou=people,dc=example,dc=com' } }", true), ("{ field: { dn: '*,ou=People,dc=example,dc=com' } }", true),
        ("{ field: { dn: 'cn=jane*' } }", true), ("{ field: { dn: 'cn=joe*' } }", false), ("{ field: { dn: null } }", false),
        ("{ field: { metadata.jwt_claim_level: 7 } }", true), ("{ field: { metadata.jwt_claim_level: 8 } }", false),
        ("{ field: { metadata.jwt_claim_beta: true } }", true), ("{ field: { metadata.jwt_claim_scope: write } }", true),
        ("{ field: { metadata.jwt_claim_level: '7' } }", false), ("{ field: { metadata.jwt_claim_level: '*' } }", false), ("{ field: { metadata.jwt_claim_level: '/7/' } }", false),
        ("{ field: { metadata.jwt_claim_beta: 'true' } }", false), ("{ field: { metadata.jwt_claim_beta: false } }", false), ("{ field: { metadata.jwt_claim_beta: 1 } }", false),
        ("{ field: { metadata.jwt_claim_said: true } }", false), ("{ field: { metadata.jwt_claim_said: 7 } }", false),
        ("{ field: { metadata.jwt_claim_said: 'true' } }", true), ("{ field: { metadata.jwt_claim_said: '7' } }", true), ("{ field: { metadata.jwt_claim_said: 't*' } }", true),
        ("{ field: { metadata.jwt_claim_share: 1 } }", true), ("{ field: { metadata.jwt_claim_share: 2 } }", false), ("{ field: { metadata.jwt_claim_share: 1000 } }", true),
        ("{ field: { metadata.jwt_claim_large: 9223372036854775807 } }", true), ("{ field: { metadata.jwt_claim_large: -1 } }", false),
        ("{ field: { username: 7 } }", false), ("{ field: { groups: true } }", false), ("{ field: { dn: 7 } }", false),
        ("{ field: { metadata.nothing: null } }", true), ("{ field: { metadata.nothing: x } }", false), ("{ field: { metadata.jwt_claim_beta: null } }", false),
        ("{ any: [] }", false), ("{ all: [] }", true),
        ("{ any: [ { field: { username: joe } }, { field: { username: jane } } ] }", true),
        ("{ all: [ { field: { username: joe } }, { field: { username: jane } } ] }", false),
        ("{ all: [ { field: { username: jane } }, { except: { field: { groups: ml-admins } } } ] }", false),
        ("{ all: [ { field: { username: jane } }, { except: { any: [ { field: { groups: x } } ] } } ] }", true),
    ];
    for (rule, expected) in rules {
        assert_eq!(rule_holds(rule), expected, "{rule}");
    }
}

#[test]
fn tells_what_is_wrong_and_where() {
    #[rustfmt::skip] // a table
    let cases = [
        ("- a\n", "line 1, column 1: expected a map of roles or mappings, found a list"),
        ("admin: text\n", "line 1, column 8: expected a list of distinguished names, or a mapping, found a text"),
        ("admin:\n  - admins\n", "line 2, column 5: [admins] is not a distinguished name, such as [cn=admins,dc=example,dc=com]"),
        ("admin:\n  - 7\n", "line 2, column 5: expected a text, found a number"),
        ("'ädmin': []\n", "line 1, column 1: role: [ädmin] may hold printable ASCII characters and spaces only"),
        ("m: { roles: [a] }\n", "line 1, column 1: [rules] is missing"),
        ("m:\n  rules: { field: { username: a } }\n", "line 1, column 1: [roles] is missing"),
        ("m:\n  role_templates: []\n", "line 2, column 3: role templates are not supported: name the roles under [roles]"),
        ("m:\n  roels: []\n", "line 2, column 3: unknown key [roels]"),
        ("m:\n  enabled: yes please\n", "line 2, column 12: expected true or false, found a text"),
        ("m: { roles: [a], rules: { field: { user: a } } }\n", "line 1, column 36: unknown field [user]: expected username, dn, groups, realm.name or metadata.NAME"),
        ("m: { roles: [a], rules: { field: { username: [] } } }\n", "line 1, column 46: expected at least one value, found a list"),
        ("m: { roles: [a], rules: { field: { username: { a: b } } } }\n", "line 1, column 46: expected a text, a whole number, true, false or null, found a map"),
        ("m: { roles: [a], rules: { except: { field: { username: a } } } }\n", "line 1, column 27: [except] may only stand inside [all]"),
        ("m: { roles: [a], rules: { any: [ { except: { field: { username: a } } } ] } }\n", "line 1, column 36: [except] may only stand inside [all]"),
        ("m: { roles: [a], rules: { or: [] } }\n", "line 1, column 27: unknown rule [or]: expected field, any, all or, inside all, except"),
        ("m: { roles: [a], rules: {} }\n", "line 1, column 25: expected one key, found 0"),
        ("m: { roles: [a], rules: { any: {} } }\n", "line 1, column 32: expected a list, found a map"),
        ("m: { roles: [a], rules: { field: { username: '/(/' } } }\n", "line 1, column 46: [/(/] is not a regular expression that mlgate can run"),
    ];
    for (file, expected) in cases {
        assert_eq!(problems(file), [expected], "{file}");
    }
    assert_eq!(problems("a: 1\nb: []\nc: 2\n").len(), 2);
    assert!(
        problems("a: []\na: []\n")[0].starts_with("line 2, column 1: not YAML: "),
        "{:?}",
        problems("a: []\na: []\n")
    );
}

#[test]
fn deep_rules_are_refused_before_they_overflow_the_stack() {
    let deep = format!(
        "m: {{ roles: [a], rules: {}{{ field: {{ username: a }} }}{} }}",
        "{ all: [ ".repeat(20_000),
        " ] }".repeat(20_000)
    );
    assert!(RoleMapping::parse(&deep).is_err());
}

proptest! {
    #[test]
    fn is_total_on_any_text(text in "\\PC{0,120}") {
        let _ = RoleMapping::parse(&text);
    }

    #[test]
    fn is_total_on_yaml_like_text(text in "(m|a|roles|rules|field|all|: |\\{|\\}|\\[|\\]|, |\n|  |- |'|\\*|/|null|7|cn=a){0,40}") {
        let _ = RoleMapping::parse(&text);
    }
}
