//! What a bearer token costs: cold, when it is verified, and warm, when the worker remembers it.
//!
//! `cargo bench --bench tokens` prints a table: microseconds a request, the least of several rounds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark says what is wrong by a panic"
)]
#![allow(clippy::print_stdout, reason = "the table is the result")]

#[path = "../tests/it/authentication/signing.rs"]
#[expect(dead_code, reason = "of the tests")]
mod signing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mlgate::realm::jwt::{
    self, Algorithm, ClaimPatterns, ClaimSources, ClientAuthentication, FallbackClaims, KeySet, TokenType,
};
use mlgate::realm::role_mapping::RoleMapping;
use mlgate::realm::{
    AttemptLimits, CacheSettings, Chain, Credentials, RealmSettings, Realms, Required, Settings, Verified, Verifier,
};
use serde_json::{Value, json};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(200);
const NOW: u64 = 1_700_000_000;

fn main() {
    // `cargo test --benches` asks every benchmark to show that it runs.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, round) = if quick { (1, Duration::ZERO) } else { (ROUNDS, ROUND) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (cold, warm) = (realms(0), realms(1000));
    println!("| algorithm | bytes | cold, µs | warm, µs |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, _) in Algorithm::ALL {
        let header = bearer(name);
        let measure = |realms: &Arc<Realms>| runtime.block_on(least(realms, &header, rounds, round));
        println!("| {name} | {} | {:.2} | {:.2} |", header.len(), measure(&cold), measure(&warm));
    }
}

/// Microseconds a request, in the fastest of the rounds.
async fn least(realms: &Arc<Realms>, header: &str, rounds: usize, round: Duration) -> f64 {
    let chain = Chain::new(1);
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let (start, mut count) = (Instant::now(), 0_u32);
        while count == 0 || start.elapsed() < round {
            for _ in 0..100 {
                ask(&chain, realms, header, start).await;
            }
            count += 100;
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(count));
    }
    least
}

async fn ask(chain: &Chain, realms: &Arc<Realms>, header: &str, instant: Instant) {
    let credentials = Credentials {
        authorization: vec![header.as_bytes()],
        shared_secret: None,
        certificate: None,
        address: None,
        run_as: Vec::new(),
        cluster: None,
        now: now(),
        instant,
    };
    match chain.authenticate(realms, credentials).await {
        Ok(Verified::Caller(_)) => {}
        other => panic!("{other:?}"),
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn bearer(algorithm: &str) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT" });
    let claims = json!({
        "iss": "https://issuer.example", "aud": ["elasticsearch"], "sub": "jane@example.com", "azp": "kibana",
        "iat": NOW - 10, "exp": NOW + 3600, "jti": "7f9c2ba4-e88f-4d6e-9a4c-8e7f6c1f9a10", "scope": "openid profile email",
        "name": "Jane Doe", "email": "jane@example.com", "groups": ["ml-admins", "search", "observability"],
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    format!("Bearer {message}.{}", signing::sign(algorithm, message.as_bytes()))
}

fn realms(max_entries: usize) -> Arc<Realms> {
    let public = KeySet::parse_public(signing::public_set().to_string().as_bytes()).unwrap();
    let realm = jwt::Settings {
        name: "jwt1".to_owned(),
        token_type: TokenType::IdToken,
        allowed_issuer: "https://issuer.example".to_owned(),
        allowed_audiences: vec!["elasticsearch".to_owned()],
        allowed_signature_algorithms: Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm).collect(),
        allowed_clock_skew: Duration::from_secs(60),
        allowed_subjects: Vec::new(),
        allowed_subject_patterns: Vec::new(),
        claims: ClaimSources {
            principal: "sub".to_owned(),
            groups: Some("groups".to_owned()),
            ..ClaimSources::default()
        },
        claim_patterns: ClaimPatterns::default(),
        required_claims: BTreeMap::new(),
        fallback_claims: FallbackClaims::default(),
        keys: public.join(KeySet::from_hmac_key(signing::SHARED).unwrap()),
        issuer: None,
        client_authentication: ClientAuthentication::None,
        populate_user_metadata: true,
    };
    let mapping =
        "ml:\n  enabled: true\n  roles: [machine_learning_admin]\n  rules: { field: { groups: ml-admins } }\n";
    let settings = Settings {
        required: Required::All,
        realms: vec![RealmSettings::Jwt(Box::new(realm))],
        anonymous: None,
        cache: CacheSettings { ttl: Duration::from_secs(60), max_entries },
        failed_attempts: AttemptLimits { window: Duration::from_secs(60), per_address: 0, per_user: 0 },
        role_mapping: RoleMapping::parse(mapping).unwrap(),
    };
    Arc::new(Realms::build(&settings, Arc::new(Verifier::start(1, 1).unwrap())).unwrap())
}
