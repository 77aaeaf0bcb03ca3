//! A reload ends what it changes, at once, and nothing else.

use std::rc::Rc;

use futures_util::FutureExt as _;

use mlgate::realm::{RealmSettings, elasticsearch, file};

use super::cluster::{asked, cluster, is_first, node, privileges, user};
use super::tokens::jwt_settings;
use super::*;

/// Each line `name:password`, at bcrypt's lowest cost; each `role:user`.
fn file(name: &str, users: &[(&str, &str)], users_roles: &str) -> RealmSettings {
    let hashed = |(name, password): &(&str, &str)| {
        let salt = *b"sixteen-byte-one";
        let hash = bcrypt::hash_with_salt(password, 4, salt).unwrap().format_for_version(bcrypt::Version::TwoA);
        format!("{name}:{hash}\n")
    };
    let users: String = users.iter().map(hashed).collect();
    RealmSettings::File(file::Settings {
        name: name.to_owned(),
        users: file::Users::parse(users.as_bytes()).unwrap(),
        users_roles: file::UsersRoles::parse(users_roles.as_bytes()).unwrap(),
    })
}

fn asking() -> RealmSettings {
    RealmSettings::Elasticsearch(elasticsearch::Settings { name: "cluster".to_owned() })
}

#[tokio::test]
async fn who_has_not_changed_is_not_checked_again() {
    let names: Vec<String> = (0..50).map(|number| format!("user-{number}")).collect();
    let with = |changed: &'static str| {
        let users: Vec<_> =
            names.iter().map(|name| (name.as_str(), if name == "user-7" { changed } else { "x" })).collect();
        build(&settings(vec![file("file1", &users, "viewer:user-1\n")]))
    };
    let (before, after, worker) = (with("old"), with("new"), Worker::new());
    let mut known = Vec::new();
    for name in &names {
        let header = basic(name, if name == "user-7" { "old" } else { "x" });
        known.push((caller(worker.ask(&before, &[&header]).await), header));
    }
    for (earlier, header) in &known {
        // There at once, without a check.
        if earlier.username != "user-7" {
            let now = worker.ask(&after, &[header]).now_or_never();
            assert!(Rc::ptr_eq(earlier, &caller(now.expect("it is checked again"))));
        }
    }
    assert!(worker.ask(&after, &[&basic("user-7", "old")]).await.is_err());
    caller(worker.ask(&after, &[&basic("user-7", "new")]).await);
}

#[tokio::test]
async fn whatever_makes_a_user_ends_at_once_when_it_changes() {
    let users = [("jane", "x"), ("bob", "y")];
    let before = build(&settings(vec![file("file1", &users, "viewer:jane,bob\n")]));
    let jane = basic("jane", "x");
    let log_in = async || {
        let worker = Worker::new();
        let known = caller(worker.ask(&before, &[&jane]).await);
        (worker, known)
    };
    let after = |realms: Vec<RealmSettings>| build(&settings(realms));
    for (what, realms, roles) in [
        ("other roles", vec![file("file1", &users, "superuser:jane\n")], Some("superuser")),
        ("other realm", vec![file("file2", &users, "viewer:jane\n")], Some("viewer")),
        ("no roles", vec![file("file1", &users, "")], Some("")),
        ("other password", vec![file("file1", &[("jane", "z")], "viewer:jane\n")], None),
        ("no user", vec![file("file1", &users[1..], "viewer:jane\n")], None),
        (
            "another realm first",
            vec![file("file0", &[("jane", "z")], ""), file("file1", &users, "viewer:jane\n")],
            None,
        ),
        ("no realm", Vec::new(), None),
    ] {
        let (worker, known) = log_in().await;
        let now = worker.ask(&after(realms), &[&jane]).await;
        let now = now.ok().map(|now| caller(Ok(now)));
        assert!(now.as_ref().is_none_or(|now| !Rc::ptr_eq(now, &known)), "{what}");
        let now = now.map(|jane| jane.roles.iter().map(|role| role.as_str().to_owned()).collect::<Vec<_>>().join(","));
        assert_eq!(now.as_deref(), roles, "{what}");
    }
}

#[tokio::test]
async fn a_shorter_time_to_live_counts_for_what_is_remembered() {
    let realms = vec![file("file1", &[("jane", "x")], "")];
    let (before, mut worker) = (build(&settings(realms.clone())), Worker::new());
    let header = basic("jane", "x");
    let known = caller(worker.ask(&before, &[&header]).await);
    let mut shorter = settings(realms);
    shorter.cache.ttl = Duration::from_secs(5);
    let after = build(&shorter);
    assert!(Rc::ptr_eq(&known, &caller(worker.ask(&after, &[&header]).await)));
    worker.seconds = 5;
    assert!(!Rc::ptr_eq(&known, &caller(worker.ask(&after, &[&header]).await)));
}

/// What a cluster has said holds as long as it is the same cluster, and nobody before it takes the credential.
#[tokio::test]
async fn a_cluster_is_asked_again_only_where_something_changed() {
    let node = || node(|request| if is_first(request) { user("jane") } else { privileges("jane", &[]) });
    let (one, other) = (node(), node());
    let (here, there) = (cluster("main", &[&one]), cluster("main", &[&other]));
    let bob = || file("file1", &[("bob", "y")], "");
    let jane = |password| file("file1", &[("bob", "y"), ("jane", password)], "");
    let token = "Bearer aaa.bbb.ccc";
    let (password, key) = (basic("jane", "x"), "ApiKey Z29vZA==");
    let jwt = || RealmSettings::Jwt(Box::new(jwt_settings()));
    for (header, before, after, cluster, asks) in [
        (&*password, vec![asking()], vec![asking()], &here, false),
        (&*password, vec![bob(), asking()], vec![asking()], &here, false),
        (&*password, vec![asking()], vec![bob(), asking()], &here, false),
        (&*password, vec![asking()], vec![asking(), jane("x")], &here, false),
        (&*password, vec![jane("no"), asking()], vec![jane("no"), asking()], &here, false),
        (&*password, vec![jane("no"), asking()], vec![jane("other"), asking()], &here, true),
        (&*password, vec![asking()], vec![asking()], &there, true),
        (key, vec![bob(), asking()], vec![jane("x"), asking()], &here, false),
        (key, vec![asking()], vec![asking()], &there, true),
        (token, vec![bob(), asking()], vec![asking()], &here, false),
        (token, vec![asking()], vec![asking(), jwt()], &here, false),
        (token, vec![asking()], vec![jwt(), asking()], &here, true),
    ] {
        let worker = Worker::new();
        let ask = async |realms: &[RealmSettings], cluster: &Cluster| {
            let realms = build(&settings(realms.to_vec()));
            let presents = Presents { headers: &[header], cluster: Some(cluster), ..Presents::default() };
            caller(worker.present(&realms, &presents).await)
        };
        ask(&before, &here).await;
        assert_eq!((asked(&one), asked(&other)), (2, 0));
        ask(&after, cluster).await;
        assert_eq!(asked(&one) + asked(&other), if asks { 2 } else { 0 }, "{header}");
    }
}

#[tokio::test]
async fn a_password_that_a_file_takes_now_is_not_the_clusters_any_more() {
    let node = node(|request| if is_first(request) { user("jane") } else { privileges("jane", &[]) });
    let (cluster, worker, header) = (cluster("main", &[&node]), Worker::new(), basic("jane", "x"));
    let ask = async |realms: Vec<RealmSettings>| {
        let realms = build(&settings(realms));
        let presents = Presents { headers: &[&header], cluster: Some(&cluster), ..Presents::default() };
        caller(worker.present(&realms, &presents).await)
    };
    assert_eq!(ask(vec![asking()]).await.realm.kind, "elasticsearch");
    assert_eq!(ask(vec![file("file1", &[("jane", "x")], ""), asking()]).await.realm.kind, "file");
    assert_eq!(ask(vec![asking()]).await.realm.kind, "elasticsearch");
    let renamed = RealmSettings::Elasticsearch(elasticsearch::Settings { name: "renamed".to_owned() });
    assert_eq!(ask(vec![renamed]).await.realm.name, "renamed");
}
