//! The elasticsearch realm among the others.

use super::super::file_realm;
use super::*;

#[tokio::test]
async fn a_file_realm_before_it_goes_first_and_stops_nobody() {
    let node = node_of("elastic", &[OPEN]);
    let (worker, cluster) = (Worker::new(), cluster("main", &[&node]));
    let realms = build(&settings(vec![file_realm(), realm()]));
    let of_file = caller(ask(&worker, &realms, &cluster, &basic("elastic", "elastic-password")).await);
    assert_eq!(of_file.realm.name, "file1");
    assert_eq!(asked(&node), 0, "the cluster is not shown passwords of the file");
    let of_cluster = caller(ask(&worker, &realms, &cluster, &basic("elastic", "another")).await);
    assert_eq!((of_cluster.realm.name.as_str(), may(&of_cluster, OPEN)), ("cluster", true));
}

#[tokio::test]
async fn a_file_realm_behind_it_has_the_last_word() {
    let refusing = node(|_| answer(401, "{}"));
    let silent = node(|_| answer(500, "{}"));
    let knowing = node_of("elastic", &[]);
    let realms = build(&settings(vec![realm(), file_realm()]));
    let right = basic("elastic", "elastic-password");
    let wrong = basic("elastic", "another");
    let worker = Worker::new();
    let ask_of =
        async |name: &str, node: &Upstream, header: &str| ask(&worker, &realms, &cluster(name, &[node]), header).await;
    assert_eq!(caller(ask_of("knowing", &knowing, &right).await).realm.name, "cluster");
    assert_eq!(caller(ask_of("refusing", &refusing, &right).await).realm.name, "file1");
    assert_eq!(caller(ask_of("silent", &silent, &right).await).realm.name, "file1", "the way in when all else fails");
    let refused = Err(Unauthenticated::User { username: "elastic".to_owned() });
    assert_eq!(ask_of("refusing", &refusing, &wrong).await, refused);
    assert_eq!(ask_of("silent", &silent, &wrong).await, Err(Unauthenticated::Unavailable));
}

#[tokio::test]
async fn a_good_credential_that_may_not_be_used_so_is_not_passed_on() {
    let node = node(|_| answer(403, r#"{"error":{"reason":"no"}}"#));
    let realms = build(&settings(vec![realm(), file_realm()]));
    let cluster = cluster("main", &[&node]);
    let refused = ask(&Worker::new(), &realms, &cluster, &basic("elastic", "elastic-password")).await;
    assert_eq!(refused, Err(Unauthenticated::Forbidden { reason: "no".to_owned() }));
}

#[tokio::test]
async fn schemes_that_elasticsearch_passes_over_are_not_asked_about() {
    let node = node_of("_anonymous", &[OPEN]);
    let (realms, worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    for header in ["Negotiate YII=", "Digest username=elastic", "SharedSecret x", "BasicX ZWxhc3RpYw=="] {
        let refused = ask(&worker, &realms, &cluster, header).await;
        assert_eq!(refused, Err(Unauthenticated::Credentials { detail: None }), "{header}");
    }
    assert_eq!(asked(&node), 0);
}

#[test]
fn all_its_schemes_are_on_offer_and_a_second_one_is_refused() {
    let offers = realms();
    let offers: Vec<_> = offers.challenges().iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(offers, [r#"Basic realm="security", charset="UTF-8""#, r#"Bearer realm="security""#, "ApiKey"]);
    let second = RealmSettings::Elasticsearch(elasticsearch::Settings { name: "other".to_owned() });
    let verifier = Arc::new(mlgate::realm::Verifier::start(1, 1).unwrap());
    let refused = Realms::build(&settings(vec![realm(), second]), verifier).err();
    assert_eq!(refused, Some(mlgate::realm::RealmsProblem::SecondElasticsearch("other".to_owned())));
}
