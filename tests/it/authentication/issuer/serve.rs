//! A whole gateway, and an issuer that comes and goes.

use serde_json::{Value, json};

use super::super::key_server::{Answer, IssuerKey, KeyServer};
use super::claims;
use crate::harness::{Client, Home};

#[test]
fn the_gateway_starts_without_the_issuer_and_takes_its_tokens_once_it_is_there() {
    let key = IssuerKey::new("one");
    let server = KeyServer::start(Answer::Down);
    let home = Home::new();
    home.write("config/issuer-ca.crt", &server.certificates.pem());
    let url = server.url();
    home.write(
        "config/mlgate.yml",
        &format!(
            "listeners: [ {{ address: '127.0.0.1:0', tls: {{ certificate: ../certs/server.crt, key: ../certs/server.key }} }} ]\n\
             admin: {{ address: '127.0.0.1:0' }}\nworkers: 1\n\
             clusters: [ {{ name: main, embedded: {{ data: ../data }} }} ]\n\
             authentication:\n  realms:\n  - type: jwt\n    name: jwt1\n    allowed_issuer: https://issuer.example\n    \
             allowed_audiences: [elasticsearch]\n    allowed_signature_algorithms: [ES256]\n    claims: {{ principal: sub }}\n    \
             pkc_jwkset_path: {url}\n    ssl: {{ certificate_authorities: [issuer-ca.crt] }}\n"
        ),
    );
    let mut process = home.serve();
    let (address, admin) = (process.listening(), process.listening());
    process.sometime("the key set of the issuer cannot be fetched");
    let seen = |path: &str| String::from_utf8(Client::connect(admin).simple(path, "").body).unwrap();
    let ready: Value = serde_json::from_str(&seen("GET /readyz")).unwrap();
    let detail = &ready["detail"]["key_sets"]["jwt1"];
    assert_eq!(
        (&detail["state"], &detail["keys"], &detail["age_seconds"]),
        (&json!("missing"), &json!(0), &Value::Null)
    );
    assert!(detail["problem"].as_str().unwrap().contains("127.0.0.1"), "{detail}");
    assert!(!seen("GET /metrics").contains("mlgate_jwkset_age_seconds{"));

    server.publish(&[&key]);
    let header = format!("Authorization: {}\r\n", key.bearer(&claims(0)));
    let who = home.client(address).simple("GET /_security/_authenticate", &header);
    assert_eq!(who.status, 200);
    process.sometime("key set fetched");
    let ready: Value = serde_json::from_str(&seen("GET /readyz")).unwrap();
    assert_eq!(ready["detail"]["key_sets"]["jwt1"]["state"], "current");
    let metrics = seen("GET /metrics");
    for line in [
        "mlgate_jwkset_keys{realm=\"jwt1\"} 1\n",
        "mlgate_jwkset_fetches_total{realm=\"jwt1\",outcome=\"success\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let refused = home
        .client(address)
        .simple("GET /_ml/info", &format!("Authorization: {}\r\n", IssuerKey::new("one").bearer(&claims(0))));
    assert_eq!(refused.status, 401);

    // A reload keeps the keys, also while the issuer is down.
    server.answer(Answer::Down);
    process.signal("HUP");
    process.until("\"message\":\"reloaded\"");
    assert_eq!(home.client(address).simple("GET /_security/_authenticate", &header).status, 200);
}
