//! Keys that are fetched by HTTPS: rotation, floods, outages.

mod answers;
mod serve;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::FutureExt as _;
use mlgate::realm::jwt::{
    Intervals, IssuerKeys, IssuerSettings, IssuerTls, KeySet, KeySetState, KeySetStatus, KeySetUrl, Refusal,
};
use mlgate::realm::{Chain, Credentials, RealmSettings, Realms, Unauthenticated, Verified, Verifier};
use mlgate::telemetry::clock;
use serde_json::{Value, json};

use super::key_server::{Answer, IssuerKey, KeyServer, set_of};
use super::settings;
use super::tokens::jwt_settings;
use crate::harness::{Certificates, PATIENCE};

const HOUR: Duration = Duration::from_secs(3600);

/// Fetched again only when a token asks for it, then at once.
const AT_ONCE: Intervals = Intervals {
    min: HOUR,
    max: HOUR,
    asked: Duration::ZERO,
    retry: Duration::from_millis(1),
    staleness_max: Duration::from_secs(10 * 3600),
};

/// A worker in front of one issuer, by the real clock.
struct Bench {
    realms: Arc<Realms>,
    chain: Chain,
    follower: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn new(server: &KeyServer, intervals: Intervals) -> Self {
        Self::after(None, issuer(server, &server.certificates, intervals))
    }

    fn after(earlier: Option<&Self>, issuer: IssuerSettings) -> Self {
        let mut jwt = jwt_settings();
        jwt.keys = KeySet::default();
        jwt.issuer = Some(issuer);
        jwt.allowed_signature_algorithms = vec!["ES256".parse().unwrap()];
        let settings = settings(vec![RealmSettings::Jwt(Box::new(jwt))]);
        let verifier = Arc::new(Verifier::start(1, 1).unwrap());
        let earlier = earlier.map(|earlier| earlier.realms.as_ref());
        let realms = Arc::new(Realms::build_after(earlier, &settings, verifier).unwrap());
        let keys = Arc::clone(realms.issuer_keys().next().unwrap());
        let follower = tokio::spawn(async move { match keys.follow().await {} });
        Self { realms, chain: Chain::new(1), follower }
    }

    fn keys(&self) -> &IssuerKeys {
        self.realms.issuer_keys().next().unwrap()
    }

    async fn ask(&self, bearer: &str) -> Result<(), Unauthenticated> {
        self.ask_from(None, bearer).await
    }

    async fn ask_from(&self, address: Option<IpAddr>, bearer: &str) -> Result<(), Unauthenticated> {
        let credentials = Credentials {
            authorization: vec![bearer.as_bytes()],
            shared_secret: None,
            certificate: None,
            address,
            run_as: Vec::new(),
            cluster: None,
            now: clock::now(),
            instant: Instant::now(),
        };
        match self.chain.authenticate(&self.realms, credentials).await? {
            Verified::Caller(_) => Ok(()),
            Verified::Nobody => panic!("a token is somebody"),
        }
    }

    /// Waits for a state.
    async fn until(&self, done: impl Fn(&KeySetStatus) -> bool) -> KeySetStatus {
        let looking = async {
            loop {
                let status = self.keys().status();
                if done(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap()
    }

    /// Makes the gateway fetch, and waits for the end of it.
    async fn fetch(&self) {
        let before = self.keys().status();
        let _refused = self.ask(&IssuerKey::new("nobody's").bearer(&claims(0))).await;
        self.until(|now| now.fetched + now.failed > before.fetched + before.failed).await;
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

fn issuer(server: &KeyServer, trusted: &Certificates, intervals: Intervals) -> IssuerSettings {
    IssuerSettings {
        url: KeySetUrl::parse(&server.url()).unwrap(),
        tls: IssuerTls { client: trusted.client(&["http/1.1"]), authorities: Vec::new(), checks_name: true },
        connect_timeout: PATIENCE,
        fetch_timeout: PATIENCE,
        intervals,
    }
}

/// Issued so many seconds ago.
fn claims(age: u64) -> Value {
    let now = clock::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({ "iss": "https://issuer.example", "aud": "elasticsearch", "sub": "jane", "iat": now - age, "exp": now + 600 })
}

const UNKNOWN: Result<(), Unauthenticated> = Err(Unauthenticated::Token(Refusal::UnknownKey));

#[tokio::test]
async fn a_request_before_the_first_fetch_waits_for_it() {
    let key = IssuerKey::new("one");
    let server = KeyServer::start(Answer::Held);
    let bench = Bench::new(&server, AT_ONCE);
    assert_eq!(bench.keys().status().state, KeySetState::Missing);
    let publish = async {
        bench.until(|_| server.requests() == 1).await;
        server.publish(&[&key]);
    };
    let bearer = key.bearer(&claims(0));
    let (answer, ()) = tokio::join!(bench.ask(&bearer), publish);
    assert_eq!(answer, Ok(()));
    let status = bench.keys().status();
    assert_eq!((status.state, status.keys, status.problem), (KeySetState::Current, 1, None));
    let head = server.last_head();
    let host = format!("host: 127.0.0.1:{}\r\n", server.port);
    assert!(head.starts_with("GET /jwks.json?of=mlgate HTTP/1.1\r\n") && head.contains(&host), "{head}");
}

#[tokio::test]
async fn a_rotation_loses_no_request_and_what_was_remembered_dies_with_its_key() {
    let (one, two) = (IssuerKey::new("one"), IssuerKey::new("two"));
    let server = KeyServer::publishing(&[&one]);
    let bench = Bench::new(&server, AT_ONCE);
    let (old, new) = (one.bearer(&claims(0)), two.bearer(&claims(0)));
    assert_eq!(bench.ask(&old).await, Ok(()));
    server.publish(&[&one, &two]);
    assert_eq!((bench.ask(&new).await, bench.ask(&old).await), (Ok(()), Ok(())));
    server.publish(&[&two]);
    bench.fetch().await;
    assert_eq!((bench.ask(&new).await, bench.ask(&old).await), (Ok(()), UNKNOWN));
    // The same id over another key: nothing that the first has signed is good, whether remembered or not.
    let second = IssuerKey::new("two");
    server.publish(&[&second]);
    bench.fetch().await;
    assert_eq!(bench.ask(&second.bearer(&claims(0))).await, Ok(()));
    assert_eq!(bench.ask(&new).await, Err(Unauthenticated::Token(Refusal::Signature)));
}

#[tokio::test]
async fn tokens_without_kid_find_a_new_key_as_well() {
    let (one, two) = (IssuerKey::new("one"), IssuerKey::new("two"));
    let server = KeyServer::publishing(&[&one]);
    let bench = Bench::new(&server, AT_ONCE);
    assert_eq!(bench.ask(&one.bearer_as(None, &claims(0))).await, Ok(()));
    server.publish(&[&two]);
    assert_eq!(bench.ask(&two.bearer_as(None, &claims(0))).await, Ok(()));
}

/// Whoever makes up key ids waits with others, but does not take all places.
#[tokio::test]
async fn one_network_leaves_places_to_wait_for_others() {
    let key = IssuerKey::new("one");
    let server = KeyServer::start(Answer::Held);
    let bench = Bench::new(&server, AT_ONCE);
    let (forged, bearer) = (IssuerKey::new("forged").bearer(&claims(0)), key.bearer(&claims(0)));
    let from = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
    let mut flood: Vec<_> = (0..300).map(|_| Box::pin(bench.ask_from(from(1), &forged))).collect();
    let answered: Vec<_> = flood.iter_mut().filter_map(|one| one.now_or_never()).collect();
    assert_eq!(answered, vec![UNKNOWN; 50]);
    let publish = async {
        bench.until(|_| server.requests() == 1).await;
        server.publish(&[&key]);
    };
    let (answer, ()) = tokio::join!(bench.ask_from(from(2), &bearer), publish);
    assert_eq!(answer, Ok(()));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_an_interval() {
    let key = IssuerKey::new("one");
    let server = KeyServer::publishing(&[&key]);
    let bench = Bench::new(&server, Intervals { asked: HOUR, ..AT_ONCE });
    assert_eq!(bench.ask(&key.bearer(&claims(0))).await, Ok(()));
    for number in 0..200 {
        let bearer = key.bearer_as(Some(&format!("../{number}")), &claims(0));
        assert_eq!(bench.ask(&bearer).await, UNKNOWN);
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_flood_at_a_time_is_one_fetch_at_a_time() {
    let (one, two) = (IssuerKey::new("one"), IssuerKey::new("two"));
    let server = KeyServer::start(Answer::Held);
    let bench = Bench::new(&server, AT_ONCE);
    bench.until(|_| server.requests() == 1).await;
    let bearers: Vec<_> = (0..200).map(|number| two.bearer_as(Some(&number.to_string()), &claims(0))).collect();
    let flood = futures_util::future::join_all(bearers.iter().map(|bearer| bench.ask(bearer)));
    let release = async {
        // All of them are polled before this is.
        assert_eq!(server.requests(), 1);
        server.publish(&[&one]);
    };
    let (answers, ()) = tokio::join!(flood, release);
    assert!(answers.iter().all(|answer| *answer == UNKNOWN));
    // The one that was on its way when they came, and one after it.
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_token_older_than_what_the_issuer_said_asks_for_nothing() {
    let key = IssuerKey::new("one");
    let server = KeyServer::publishing(&[&key]);
    let bench = Bench::new(&server, AT_ONCE);
    assert_eq!(bench.ask(&key.bearer(&claims(0))).await, Ok(()));
    // A minute of skew, and one more.
    let old = IssuerKey::new("old").bearer(&claims(120));
    assert_eq!(bench.ask(&old).await, Err(Unauthenticated::Token(Refusal::Signature)));
    // A signature that is not good by the key which it names is no reason to ask either.
    let forged = IssuerKey::new("one").bearer(&claims(0));
    assert_eq!(bench.ask(&forged).await, Err(Unauthenticated::Token(Refusal::Signature)));
    assert_eq!(server.requests(), 1);
    // But what a cache has kept for a while says nothing of the time since.
    let Answer::Bytes(bytes) = set_of(&[&key]) else { unreachable!() };
    let aged = String::from_utf8(bytes).unwrap().replacen("\r\n", "\r\nage: 300\r\n", 1);
    server.answer(Answer::Bytes(aged.into_bytes()));
    bench.fetch().await;
    let before = server.requests();
    assert_eq!(bench.ask(&old).await, UNKNOWN);
    assert_eq!(server.requests(), before + 1);
}

#[tokio::test]
async fn keys_are_used_while_the_issuer_is_down() {
    let (one, two) = (IssuerKey::new("one"), IssuerKey::new("two"));
    let server = KeyServer::publishing(&[&one]);
    let bench = Bench::new(&server, AT_ONCE);
    bench.until(|status| status.state == KeySetState::Current).await;
    server.answer(Answer::Down);
    bench.fetch().await;
    let status = bench.until(|status| status.state == KeySetState::Stale).await;
    assert_eq!((status.keys, status.fetched), (1, 1));
    assert!(status.problem.unwrap().contains(&format!("127.0.0.1:{}", server.port)));
    assert_eq!(bench.ask(&one.bearer(&claims(0))).await, Ok(()));
    // It comes back with another key, and is asked again without being called.
    server.publish(&[&two]);
    bench.until(|status| status.state == KeySetState::Current).await;
    assert_eq!(bench.ask(&two.bearer(&claims(0))).await, Ok(()));
}

#[tokio::test]
async fn keys_of_an_issuer_that_is_down_for_too_long_end() {
    let key = IssuerKey::new("one");
    let server = KeyServer::publishing(&[&key]);
    let bench = Bench::new(&server, Intervals { staleness_max: Duration::ZERO, retry: HOUR, ..AT_ONCE });
    let bearer = key.bearer(&claims(0));
    assert_eq!(bench.ask(&bearer).await, Ok(()));
    server.answer(Answer::Down);
    bench.fetch().await;
    let status = bench.until(|status| status.state == KeySetState::Expired).await;
    assert_eq!(status.keys, 0);
    // Remembered or not, and at once: no fetch is near.
    assert!(bench.ask(&bearer).await.is_err());
    assert!(bench.ask(&key.bearer(&claims(1))).await.is_err());
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_the_same_server_only() {
    let key = IssuerKey::new("one");
    let server = KeyServer::publishing(&[&key]);
    let first = Bench::new(&server, AT_ONCE);
    first.until(|status| status.state == KeySetState::Current).await;
    server.answer(Answer::Held);
    let same = Bench::after(Some(&first), issuer(&server, &server.certificates, AT_ONCE));
    assert_eq!(same.ask(&key.bearer(&claims(0))).await, Ok(()));
    let mut moved = issuer(&server, &server.certificates, AT_ONCE);
    moved.url = KeySetUrl::parse(&server.url().replace("jwks.json", "other.json")).unwrap();
    assert_eq!(Bench::after(Some(&first), moved).keys().status().state, KeySetState::Missing);
    let mut distrusting = issuer(&server, &server.certificates, AT_ONCE);
    distrusting.tls.checks_name = false;
    assert_eq!(Bench::after(Some(&first), distrusting).keys().status().state, KeySetState::Missing);
}
