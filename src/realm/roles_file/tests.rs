use proptest::prelude::*;

use super::*;

fn problems(file: &str) -> Vec<String> {
    RolesFile::parse(file).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn reads_elasticsearchs_format() {
    let file = RolesFile::parse(
        "
# the roles of the house
ml_operator:
  cluster: [ 'manage_ml', 'cluster:monitor/main' ]
  run_as: [ 'other_user' ]
  description: operates ML
  indices:
    - names: [ 'logs-*', 'metrics-*' ]
      privileges: [ 'read' ]
      field_security: { grant: [ '*' ], except: [ 'secret' ] }
      query: '{\"match_all\":{}}'
      allow_restricted_indices: false
    - { names: one, privileges: [ all ], query: { term: { a: b } } }
  applications:
    - { application: 'kibana-.kibana', privileges: [ 'read' ], resources: [ '*' ] }
  remote_indices:
    - { clusters: [ 'c*' ], names: [ 'x' ], privileges: [ 'read' ] }
  remote_cluster:
    - { clusters: [ 'c*' ], privileges: [ 'monitor_enrich' ] }
  global: { application: { manage: { applications: [ 'x' ] } } }
  metadata: { owner: us }
  transient_metadata: { enabled: true }
nothing:
empty: {}
",
    )
    .unwrap();
    let names: Vec<_> = file.roles().iter().map(|role| role.name().as_str()).collect();
    assert_eq!(names, ["ml_operator", "nothing", "empty"]);
    assert_eq!((file.roles()[0].cluster().len(), file.roles()[0].run_as()), (2, ["other_user".to_owned()].as_slice()));
    assert!(file.roles()[1].cluster().is_empty());
    assert_eq!(file.place(&RoleName::new("ml_operator")), Some(Place { line: 3, column: 1 }));
    assert!(RolesFile::parse("# nothing but a comment\n").unwrap().into_roles().is_empty());
}

#[test]
fn tells_what_is_wrong_and_where() {
    #[rustfmt::skip] // a table
    let cases = [
        ("- a\n", "line 1, column 1: expected a map of roles, found a list"),
        ("a: [manage_ml]\n", "line 1, column 4: expected a map of privileges, found a list"),
        ("' a': {}\n", "line 1, column 1: role: [ a] starts or ends with a space"),
        ("a:\n  clusters: [manage_ml]\n", "line 2, column 3: unknown key [clusters]"),
        ("a:\n  cluster: manage_ml\n", "line 2, column 12: expected a list of texts, found a text"),
        ("a:\n  cluster: [1]\n", "line 2, column 13: expected a text, found a number"),
        ("a:\n  run_as: {}\n", "line 2, column 11: expected a list of texts, found a map"),
        ("a:\n  description: [x]\n", "line 2, column 16: expected a text, found a list"),
        ("a:\n  indices: {}\n", "line 2, column 12: expected a list of maps, found a map"),
        ("a:\n  indices: [ { names: [x] } ]\n", "line 2, column 14: [privileges] is missing"),
        ("a:\n  indices: [ { names: [x], privileges: [], fields: [] } ]\n", "line 2, column 44: unknown key [fields]"),
        ("a:\n  indices: [ { names: [x], privileges: [], allow_restricted_indices: 1 } ]\n", "line 2, column 70: expected true or false, found a number"),
        ("a:\n  indices: [ { names: [x], privileges: [], field_security: { deny: [] } } ]\n", "line 2, column 62: unknown key [deny]"),
        ("a:\n  applications: [ { application: x, privileges: [] } ]\n", "line 2, column 19: [resources] is missing"),
        ("a:\n  applications: [ { application: { x: y }, privileges: [], resources: [] } ]\n", "line 2, column 34: expected a text, found a map"),
        ("a:\n  remote_indices: [ { names: [x], privileges: [] } ]\n", "line 2, column 21: [clusters] is missing"),
        ("a:\n  run_as: [ops, '/a']\n", "line 2, column 17: run_as: [/a] starts with / but does not end with one"),
        ("a:\n  run_as: ['/~root/']\n", "line 2, column 12: run_as: [/~root/] has the operator [~], which mlgate cannot run; [\\~] is the character"),
        ("a:\n  metadata: x\n", "line 2, column 13: expected a map, found a text"),
        ("superuser: { cluster: [] }\n", "line 1, column 1: role [superuser] is reserved and cannot be redefined; choose another name"),
    ];
    for (file, expected) in cases {
        assert_eq!(problems(file), [expected], "{file}");
    }
    let unknown = problems("a:\n  cluster: [manage_ml, manage_mll]\n");
    assert!(unknown[0].starts_with("line 2, column 24: unknown cluster privilege [manage_mll]. "), "{unknown:?}");
    assert!(unknown[0].ends_with("; did you mean [manage_ml]?"), "{unknown:?}");
    let far = problems("a:\n  cluster: [xyzzy]\n");
    assert!(far[0].ends_with("available cluster actions"), "{far:?}");
    assert!(problems("a: {}\na: {}\n")[0].starts_with("line 2, column 1: not YAML: "));
    assert_eq!(
        problems(&format!("a: {{ description: {} }}", "x".repeat(1001))),
        ["line 1, column 19: the description has more than 1000 characters"]
    );
    assert_eq!(problems("a: 1\nb: {}\nc: 2\n").len(), 2);
}

proptest! {
    #[test]
    fn is_total_on_any_text(text in "\\PC{0,120}") {
        let _ = RolesFile::parse(&text);
    }
}
