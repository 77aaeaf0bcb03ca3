//! `mlgate explain`.

use std::path::Path;

use serde_json::Value;

use super::mlgate;

/// A folder with a config, users and roles of its own.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "mlgate.yml",
        "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: main}, {name: other, hosts: [other], nodes: ['http://127.0.0.1:9200']}]\n\
         authentication: {anonymous: {roles: [viewer]}}\nauthorization: {roles: roles.yml}\n",
    );
    let hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    write("users", &format!("jane:{hash}\njoe:{hash}\n"));
    write("users_roles", "ml_ops:jane\nviewer:joe\nghost:joe\n");
    write("roles.yml", "ml_ops:\n  cluster: [\"cluster:admin/xpack/ml/job/*\"]\n");
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> =
        ["explain", "--config", "mlgate.yml", "--json"].iter().chain(arguments).copied().collect();
    let run = mlgate(folder, &arguments, "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_grant_names_its_role_and_privilege() {
    let folder = folder();
    let found = explain(folder.path(), &["--user", "jane", "POST", "/_ml/anomaly_detectors/web/_open"]);
    assert_eq!(found["classification"]["class"], "ml");
    assert_eq!(found["classification"]["api"], "ml.open_job");
    assert_eq!(found["classification"]["action"], "cluster:admin/xpack/ml/job/open");
    assert_eq!(found["authorization"]["decision"], "granted");
    assert_eq!(found["authorization"]["role"], "ml_ops");
    assert_eq!(found["authorization"]["privilege"], "cluster:admin/xpack/ml/job/*");
    assert_eq!(found["outcome"], "forwarded");
    assert_eq!(found["upgrade_mode"]["off"], "passes");
    assert_eq!(found["upgrade_mode"]["on"], "refused with 429");
    assert_eq!(found["upgrade_mode"]["unknown"], "refused with 503");
}

#[test]
fn a_denial_has_elasticsearchs_text_and_what_would_grant_it() {
    let folder = folder();
    let found = explain(folder.path(), &["--user", "joe", "POST", "/_ml/anomaly_detectors/web/_open"]);
    assert_eq!(
        found["authorization"]["reason"],
        "action [cluster:admin/xpack/ml/job/open] is unauthorized for user [joe] with effective roles [viewer] \
         (assigned roles [ghost] were not found), this action is granted by the cluster privileges [manage_ml,manage,all]"
    );
    assert_eq!(found["authorization"]["granted_by"], serde_json::json!(["manage_ml", "manage", "all"]));
    assert_eq!(found["caller"]["undefined_roles"], serde_json::json!(["ghost"]));
    assert_eq!(found["outcome"], "denied");
}

#[test]
fn roles_may_be_given_instead_of_a_user() {
    let folder = folder();
    let target = ["GET", "/_ml/info"];
    for roles in
        [&["--role", "viewer", "--role", "machine_learning_user"][..], &["--role", "viewer,machine_learning_user"]]
    {
        let found = explain(folder.path(), &[roles, &target].concat());
        assert_eq!(found["authorization"]["role"], "machine_learning_user", "{roles:?}");
        assert_eq!(found["upgrade_mode"]["on"], "passes", "{roles:?}");
    }
    let found = explain(folder.path(), &["--user", "anonymous", "GET", "/_ml/info"]);
    assert_eq!(found["outcome"], "denied");
}

#[test]
fn callers_of_other_realms_have_the_roles_that_are_mapped_to_them() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "mlgate.yml",
        "listeners: [{address: '127.0.0.1:0'}]\nauthorization: {role_mapping: role_mapping.yml}\nauthentication:\n  realms:\n  \
         - {type: file, name: file1}\n  - {type: jwt, name: jwt1, allowed_issuer: i, allowed_audiences: [a], \
         claims: {principal: sub, groups: groups}, pkc_jwkset_path: 'https://127.0.0.1/jwks.json'}\n",
    );
    write(
        "role_mapping.yml",
        "machine_learning_user: [\"cn=jane,dc=example\"]\nops:\n  enabled: true\n  roles: [machine_learning_admin]\n  \
         rules: {all: [{field: {realm.name: jwt1}}, {field: {groups: ml-admins}}]}\n",
    );
    let open = ["POST", "/_ml/anomaly_detectors/web/_open"];
    #[rustfmt::skip] // a table: who, roles, decision
    let cases: [(&[&str], &[&str], &str); 4] = [
        (&["--user", "jane", "--realm", "jwt1", "--group", "x", "--group", "ml-admins"], &["machine_learning_admin"], "granted"),
        (&["--user", "jane", "--realm", "jwt1", "--dn", "CN=Jane, DC=example"], &["machine_learning_user"], "denied"),
        (&["--user", "jane", "--realm", "jwt1"], &[], "denied"),
        (&["--user", "jane", "--realm", "file1"], &["ml_ops"], "denied"), // whose role is not defined here
    ];
    for (who, roles, decision) in cases {
        let found = explain(folder.path(), &[who, &open].concat());
        assert_eq!(found["caller"]["realm"], who[3]);
        assert_eq!(found["caller"]["roles"], serde_json::json!(roles), "{who:?}");
        assert_eq!(found["authorization"]["decision"], decision, "{who:?}");
    }
    let run = |who: &[&str]| mlgate(folder.path(), &[&["explain", "--config", "mlgate.yml"], who, &open].concat(), "");
    let unknown = run(&["--user", "jane", "--realm", "x"]);
    assert_eq!(
        (unknown.status, unknown.stderr.as_str()),
        (1, "mlgate: no realm [x] in the config; there is [file1, jwt1]\n")
    );
    assert_eq!(run(&["--user", "nobody", "--realm", "file1"]).status, 1);
    assert_eq!(run(&["--role", "viewer", "--group", "x"]).status, 2);
}

#[test]
fn other_requests_and_refused_ones_are_explained_too() {
    let folder = folder();
    #[rustfmt::skip] // a table: method, path, class, outcome
    let cases = [
        ("GET", "/logs/_search", "other", "forwarded_for_cluster_to_decide"),
        ("POST", "/_ml/_bulk", "refused", "refused"),
        ("GET", "/%5Fml/info", "refused", "refused"),
        ("HEAD", "/_ml/info", "refused", "refused"),
        ("POST", "/_features/_reset", "perimeter", "denied"),
        ("POST", "/_ml/set_upgrade_mode?enabled=true", "ml", "denied"),
    ];
    for (method, path, class, outcome) in cases {
        let found = explain(folder.path(), &["--role", "viewer", method, path]);
        assert_eq!(
            (&found["classification"]["class"], &found["outcome"]),
            (&class.into(), &outcome.into()),
            "{method} {path}"
        );
    }
}

#[test]
fn for_people_it_is_a_few_lines() {
    let folder = folder();
    let arguments = [
        "explain",
        "--config",
        "mlgate.yml",
        "--cluster",
        "main",
        "--user",
        "jane",
        "post",
        "/_ml/anomaly_detectors/web/_open",
    ];
    let run = mlgate(folder.path(), &arguments, "");
    assert_eq!(run.status, 0, "{}", run.stderr);
    for line in [
        "POST /_ml/anomaly_detectors/web/_open\n",
        "  cluster       main\n",
        "  reaches       ml.open_job (POST /_ml/anomaly_detectors/{job_id}/_open)\n",
        "  caller        jane of realm file1, roles [ml_ops]\n",
        "  granted by    privilege [cluster:admin/xpack/ml/job/*] of role [ml_ops]\n",
        "  upgrade mode  on: refused with 429\n",
        "  outcome       forwarded, unless upgrade mode refuses it\n",
    ] {
        assert!(run.stdout.contains(line), "{line:?} is not in\n{}", run.stdout);
    }
}

#[test]
fn what_does_not_exist_is_1_and_an_invalid_config_78() {
    let folder = folder();
    let run = |arguments: &[&str]| mlgate(folder.path(), arguments, "");
    let unknown = run(&["explain", "--config", "mlgate.yml", "--user", "nobody", "GET", "/"]);
    assert_eq!((unknown.status, unknown.stdout.as_str()), (1, ""));
    assert!(unknown.stderr.starts_with("mlgate: no file realm has the user [nobody]"), "{}", unknown.stderr);
    let unknown = run(&["explain", "--config", "mlgate.yml", "--cluster", "x", "--role", "viewer", "GET", "/"]);
    assert_eq!(
        (unknown.status, unknown.stderr.as_str()),
        (1, "mlgate: no cluster [x] in the config; there is [main, other]\n")
    );
    std::fs::write(folder.path().join("roles.yml"), "ml_ops: {cluster: [manage_mll]}\n").unwrap();
    let invalid = run(&["explain", "--config", "mlgate.yml", "--role", "viewer", "GET", "/"]);
    assert_eq!((invalid.status, invalid.stdout.as_str()), (78, ""));
    assert_eq!(invalid.stderr.lines().count(), 1, "{}", invalid.stderr);
}

#[test]
fn of_a_user_that_only_the_cluster_knows_it_says_how_to_ask() {
    let folder = folder();
    let config = "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: main, nodes: ['http://127.0.0.1:9200']}]\n\
                  authentication: {realms: [{type: file, name: file1}, {type: elasticsearch, name: cluster}]}\n";
    std::fs::write(folder.path().join("mlgate.yml"), config).unwrap();
    let explain =
        |user| mlgate(folder.path(), &["explain", "--config", "mlgate.yml", "--user", user, "GET", "/_ml/info"], "");
    assert_eq!(explain("jane").status, 0, "a user of the file is explained as ever");
    let run = explain("somebody");
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("the cluster alone knows") && run.stderr.contains("_has_privileges"), "{}", run.stderr);
}
