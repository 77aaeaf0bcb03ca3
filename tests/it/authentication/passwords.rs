//! Basic credentials and the anonymous user.

use std::rc::Rc;

use futures_util::FutureExt;

use mlgate::realm::{Malformed, Unauthenticated, Verified};

use super::{Worker, anonymous, basic, build, caller, file_realm, settings};

#[tokio::test]
async fn a_right_password_makes_the_user_with_the_roles_of_users_roles() {
    let realms = build(&settings(vec![file_realm()]));
    let elastic = caller(Worker::new().ask(&realms, &[&basic("elastic", "elastic-password")]).await);
    assert_eq!(elastic.username, "elastic");
    assert_eq!((elastic.realm.name.as_str(), elastic.realm.kind), ("file1", "file"));
    assert_eq!(elastic.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["superuser", "viewer"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_told_alike() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    for (username, password) in [
        ("elastic", "reader-password"),
        ("elastic", ""),
        ("nobody", "elastic-password"),
        ("Elastic", "elastic-password"),
    ] {
        let refused = worker.ask(&realms, &[&basic(username, password)]).await;
        assert_eq!(refused, Err(Unauthenticated::User { username: username.to_owned() }), "{username} {password}");
    }
}

#[tokio::test]
async fn headers_are_read_strictly() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    let right = basic("reader", "reader-password");
    let encoded = right.strip_prefix("Basic ").unwrap().to_owned();
    for header in [format!("basic {encoded}"), format!("BASIC {encoded}")] {
        caller(worker.ask(&realms, &[&header]).await);
    }
    #[rustfmt::skip] // a table
    let malformed = [
        (String::new(), Malformed::Scheme), ("Basic".to_owned(), Malformed::Scheme), ("Basic ".to_owned(), Malformed::Scheme),
        (format!("Basic  {encoded}"), Malformed::Scheme), (format!("Basic\t{encoded}"), Malformed::Scheme), (format!(" Basic {encoded}"), Malformed::Scheme),
        (format!("Basic {encoded} "), Malformed::BasicEncoding), (format!("Basic {}", encoded.trim_end_matches('=')), Malformed::BasicEncoding),
        (format!("Basic {encoded}="), Malformed::BasicEncoding), (format!("Basic {encoded}, Basic {encoded}"), Malformed::BasicEncoding),
        ("Basic ZWxhc3RpYw==".to_owned(), Malformed::BasicValue), ("Basic OnBhc3M=".to_owned(), Malformed::BasicValue),
        ("Basic /////w==".to_owned(), Malformed::BasicEncoding), ("Basic ZWxhc3Rp-_==".to_owned(), Malformed::BasicEncoding),
        ("Bäsic x".to_owned(), Malformed::Scheme), ("x".repeat(20_000), Malformed::TooLong),
    ];
    for (header, expected) in malformed {
        assert_eq!(worker.ask(&realms, &[&header]).await, Err(Unauthenticated::Malformed(expected)), "{header}");
    }
    let twice = worker.ask(&realms, &[&right, &right]).await;
    assert_eq!(twice, Err(Unauthenticated::Malformed(Malformed::SeveralHeaders)));
}

#[tokio::test]
async fn schemes_that_no_realm_knows_are_refused() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    for header in
        ["ApiKey aWQ6a2V5", "Bearer aaa.bbb.ccc", "Negotiate YII=", "Digest username=elastic", "BasicX ZWxhc3RpYw=="]
    {
        let refused = worker.ask(&realms, &[header]).await;
        assert!(
            matches!(refused, Err(Unauthenticated::Credentials { .. } | Unauthenticated::Token(_))),
            "{header} {refused:?}"
        );
    }
    let no_realm = build(&settings(Vec::new()));
    let refused = worker.ask(&no_realm, &[&basic("elastic", "elastic-password")]).await;
    assert_eq!(refused, Err(Unauthenticated::Credentials { detail: None }));
}

#[tokio::test]
async fn only_a_request_without_credentials_is_the_anonymous_user() {
    let mut settings = settings(vec![file_realm()]);
    let worker = Worker::new();
    assert_eq!(worker.ask(&build(&settings), &[]).await, Ok(Verified::Nobody));
    settings.anonymous = Some(anonymous());
    let realms = build(&settings);
    let anonymous = caller(worker.ask(&realms, &[]).await);
    assert_eq!((anonymous.username.as_str(), anonymous.realm.kind), ("anonymous", "anonymous"));
    assert!(worker.ask(&realms, &[""]).await.is_err());
    assert!(worker.ask(&realms, &[&basic("elastic", "wrong-password")]).await.is_err());
    assert!(worker.ask(&realms, &["ApiKey aWQ6a2V5"]).await.is_err());
}

#[tokio::test]
async fn a_verified_password_is_remembered_until_its_time_is_over() {
    let realms = build(&settings(vec![file_realm()]));
    let mut worker = Worker::new();
    let header = basic("elastic", "elastic-password");
    let first = caller(worker.ask(&realms, &[&header]).await);
    worker.seconds = 59;
    assert!(Rc::ptr_eq(&first, &caller(worker.ask(&realms, &[&header]).await)));
    worker.seconds = 60;
    let renewed = caller(worker.ask(&realms, &[&header]).await);
    assert!(!Rc::ptr_eq(&first, &renewed));
    worker.seconds = 119;
    assert!(Rc::ptr_eq(&renewed, &caller(worker.ask(&realms, &[&header]).await)));
}

#[tokio::test]
async fn a_reload_ends_what_is_remembered_at_once() {
    let before = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    let header = basic("elastic", "elastic-password");
    caller(worker.ask(&before, &[&header]).await);
    let after = build(&settings(Vec::new()));
    assert!(after.generation() > before.generation());
    assert!(worker.ask(&after, &[&header]).await.is_err());
    // A request that began before the reload is decided by what it saw, and leaves no trace.
    caller(worker.ask(&before, &[&header]).await);
    assert!(worker.ask(&after, &[&header]).await.is_err());
}

#[tokio::test]
async fn nothing_is_remembered_without_a_time_to_live() {
    let mut settings = settings(vec![file_realm()]);
    settings.cache.ttl = std::time::Duration::ZERO;
    let realms = build(&settings);
    let worker = Worker::new();
    let header = basic("elastic", "elastic-password");
    let first = caller(worker.ask(&realms, &[&header]).await);
    assert!(!Rc::ptr_eq(&first, &caller(worker.ask(&realms, &[&header]).await)));
}

#[tokio::test]
async fn requests_with_one_credential_share_one_check() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    let header = basic("elastic", "elastic-password");
    let asked = (0..200).map(|_| async { caller(worker.ask(&realms, &[header.as_str()]).await) });
    let answers = futures_util::future::join_all(asked).await;
    // The queue holds sixteen: two hundred checks would not have fitted.
    assert!(answers.iter().all(|answer| Rc::ptr_eq(answer, &answers[0])));
}

#[tokio::test]
async fn a_crowd_of_guesses_is_turned_away_and_known_credentials_are_not() {
    let realms = build(&settings(vec![file_realm()]));
    let mut worker = Worker::new();
    let known = basic("elastic", "elastic-password");
    caller(worker.ask(&realms, &[&known]).await);
    worker.seconds = 61; // it has to be checked again, in the middle of the crowd
    let headers: Vec<_> = (0..100).map(|number| basic("slow", &format!("guess-{number}"))).collect();
    let ask = |header| {
        let (worker, realms) = (&worker, &realms);
        async move { worker.ask(realms, &[header]).await }
    };
    let mut guesses: Vec<_> = headers.iter().map(|header| Box::pin(ask(header.as_str()))).collect();
    let at_once: Vec<_> = guesses.iter_mut().filter_map(|guess| guess.now_or_never()).collect();
    assert!(at_once.contains(&Err(Unauthenticated::Busy)), "sixteen wait, the others are told so: {at_once:?}");
    assert_eq!(caller(worker.ask(&realms, &[&known]).await).username, "elastic");
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_place_back() {
    let realms = build(&settings(vec![file_realm()]));
    let worker = Worker::new();
    for number in 0..100 {
        let header = basic("slow", &format!("guess-{number}"));
        let headers = [header.as_str()];
        // Asked, and given up before there is an answer.
        assert_ne!(worker.ask(&realms, &headers).now_or_never(), Some(Err(Unauthenticated::Busy)), "{number}");
    }
    caller(worker.ask(&realms, &[&basic("reader", "reader-password")]).await);
}

#[test]
fn challenges_name_the_schemes_on_offer() {
    let realms = build(&settings(vec![file_realm()]));
    let challenges: Vec<_> = realms.challenges().iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(challenges, [r#"Basic realm="security", charset="UTF-8""#]);
    assert!(build(&settings(Vec::new())).challenges().is_empty());
}

#[test]
fn two_realms_of_one_name_are_refused() {
    let verifier = std::sync::Arc::new(mlgate::realm::Verifier::start(1, 1).unwrap());
    let problem = mlgate::realm::Realms::build(&settings(vec![file_realm(), file_realm()]), verifier).err();
    assert_eq!(problem.map(|problem| problem.to_string()).as_deref(), Some("two realms have the name [file1]"));
}
