//! Answers that nobody may be let in by.

use super::*;

/// How the second request is answered, after a good answer to the first.
async fn second(answer: Vec<u8>) -> Result<Verified, Unauthenticated> {
    let node = node(move |request| if is_first(request) { user("jane") } else { answer.clone() });
    ask(&Worker::new(), &realms(), &cluster("main", &[&node]), &basic("jane", "secret")).await
}

async fn first(answer: Vec<u8>) -> Result<Verified, Unauthenticated> {
    let node = node(move |request| if is_first(request) { answer.clone() } else { privileges("jane", &[OPEN]) });
    ask(&Worker::new(), &realms(), &cluster("main", &[&node]), &basic("jane", "secret")).await
}

#[tokio::test]
async fn statuses_that_say_nothing_of_the_caller_are_unavailable() {
    for status in [201, 204, 301, 400, 404, 405, 429, 500, 502, 503, 504] {
        let body = if status == 204 { "" } else { r#"{"username":"jane"}"# };
        assert_eq!(first(answer(status, body)).await, Err(Unauthenticated::Unavailable), "{status}");
    }
    for status in [201, 301, 400, 403, 404, 429, 500, 503] {
        assert_eq!(second(answer(status, "{}")).await, Err(Unauthenticated::Unavailable), "{status}");
    }
    let refused = Err(Unauthenticated::User { username: "jane".to_owned() });
    assert_eq!(second(answer(401, "{}")).await, refused, "it was deleted meanwhile");
}

#[tokio::test]
async fn bodies_that_cannot_be_relied_on_are_unavailable() {
    let of_other = String::from_utf8(privileges("jane", &[OPEN])).unwrap();
    let contradicts = of_other.replace(r#""has_all_requested":false"#, r#""has_all_requested":true "#);
    for body in [privileges("root", &[OPEN]), contradicts.into_bytes(), answer(200, ""), answer(200, "<html>")] {
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(second(body).await, Err(Unauthenticated::Unavailable), "{text}");
    }
    for body in [r#"{"username":"jane"}"#, r#"{"username":"jane","username":"root","roles":[],"enabled":true}"#, "[]"] {
        assert_eq!(first(answer(200, body)).await, Err(Unauthenticated::Unavailable), "{body}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let long = format!(r#"{{"username":"jane","roles":[],"enabled":true,"metadata":"{}"}}"#, "x".repeat(10 << 20));
    assert_eq!(first(answer(200, &long)).await, Err(Unauthenticated::Unavailable));
}

#[tokio::test]
async fn the_clusters_anonymous_user_is_nobodys_credential() {
    let body = r#"{"username":"_anonymous","roles":["superuser"],"enabled":true,"authentication_type":"anonymous","authentication_realm":{"name":"__anonymous","type":"__anonymous"}}"#;
    assert_eq!(first(answer(200, body)).await, Err(Unauthenticated::User { username: "jane".to_owned() }));
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_and_another_node_too() {
    let flapping = Upstream::scripted(|exchange| {
        if let Some(request) = exchange.request()
            && exchange.connection > 0
        {
            exchange.send(&if is_first(&request) { user("jane") } else { privileges("jane", &[OPEN]) });
        }
        exchange.close();
    });
    let one = cluster("main", &[&flapping]);
    assert!(may(&caller(ask(&Worker::new(), &realms(), &one, &basic("jane", "secret")).await), OPEN));
    let broken = node(|_| answer(503, "{}"));
    let good = node_of("jane", &[OPEN]);
    let two = cluster("main", &[&broken, &good]);
    assert!(may(&caller(ask(&Worker::new(), &realms(), &two, &basic("jane", "secret")).await), OPEN));
}

#[tokio::test]
async fn a_cluster_that_is_down_leaves_what_is_known_until_it_ends() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let node = Upstream::scripted(move |exchange| {
        while let Some(request) = exchange.request()
            && !is_down.load(std::sync::atomic::Ordering::SeqCst)
            && exchange.send(&if is_first(&request) { user("jane") } else { privileges("jane", &[OPEN]) })
        {}
        exchange.close();
    });
    let (realms, mut worker, cluster) = (realms(), Worker::new(), cluster("main", &[&node]));
    let header = basic("jane", "secret");
    caller(ask(&worker, &realms, &cluster, &header).await);
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    worker.seconds = 59;
    assert!(may(&caller(ask(&worker, &realms, &cluster, &header).await), OPEN));
    let other = ask(&worker, &realms, &cluster, &basic("bob", "secret")).await;
    assert_eq!(other, Err(Unauthenticated::Unavailable));
    worker.seconds = 60;
    assert_eq!(ask(&worker, &realms, &cluster, &header).await, Err(Unauthenticated::Unavailable));
    down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(may(&caller(ask(&worker, &realms, &cluster, &header).await), OPEN), "no silence is remembered");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_slow_is_not_waited_for_endlessly() {
    let node = Upstream::scripted(|exchange| {
        exchange.request();
        exchange.rest();
    });
    let cluster = cluster("main", &[&node]);
    let begin = tokio::time::Instant::now();
    let answer = ask(&Worker::new(), &realms(), &cluster, &basic("jane", "secret")).await;
    assert_eq!(answer, Err(Unauthenticated::Unavailable));
    assert!(begin.elapsed() < 16 * SECOND, "{:?}", begin.elapsed());
}
