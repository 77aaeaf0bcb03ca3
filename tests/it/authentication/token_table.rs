//! Tokens that must be refused, one a line.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use mlgate::realm::jwt::{JsonProblem, Refusal};
use mlgate::realm::{Malformed, Unauthenticated};
use serde_json::{Map, Value, json};

use super::signing::{SHARED, keys, public_set, sign, sign_by};
use super::tokens::{jwt_settings, realms_of};
use super::{NOW, Worker};

pub(super) const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
];

/// A token in the making. As it begins it is good.
#[derive(Clone)]
pub(super) struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    claims_text: Option<String>,
}

pub(super) fn token() -> Token {
    let claims = json!({ "iss": "https://issuer.example", "aud": "elasticsearch", "sub": "jane", "iat": NOW - 10, "exp": NOW + 600 });
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let members = |value: Value| value.as_object().unwrap().clone();
    Token { header: members(header), claims: members(claims), header_text: None, claims_text: None }
}

impl Token {
    pub(super) fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    pub(super) fn algorithm(self, name: &str) -> Self {
        self.header("alg", json!(name))
    }

    pub(super) fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Puts text behind the last member of the header.
    fn header_and(mut self, more: &str) -> Self {
        let text = Value::Object(self.header.clone()).to_string();
        self.header_text = Some(format!("{}{more}}}", text.strip_suffix('}').unwrap()));
        self
    }

    /// Puts text behind the last claim.
    fn claims_and(mut self, more: &str) -> Self {
        let text = Value::Object(self.claims.clone()).to_string();
        self.claims_text = Some(format!("{}{more}}}", text.strip_suffix('}').unwrap()));
        self
    }

    fn claims_text(mut self, text: &str) -> Self {
        self.claims_text = Some(text.to_owned());
        self
    }

    fn message(&self) -> String {
        let header = self.header_text.clone().unwrap_or_else(|| Value::Object(self.header.clone()).to_string());
        let claims = self.claims_text.clone().unwrap_or_else(|| Value::Object(self.claims.clone()).to_string());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn compact(&self) -> String {
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = if ALGORITHMS.contains(&algorithm) { algorithm } else { "RS256" };
        let message = self.message();
        format!("{message}.{}", sign(algorithm, message.as_bytes()))
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.compact())
    }

    /// One bit of the signature is another.
    pub(super) fn broken_signature(&self) -> String {
        let compact = self.compact();
        let (message, signature) = compact.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[10] ^= 1;
        format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Signed as `algorithm` by `signature`, whatever the header says.
    fn signed(&self, signature: impl FnOnce(&[u8]) -> String) -> String {
        let message = self.message();
        format!("Bearer {message}.{}", signature(message.as_bytes()))
    }
}

/// A line: what it tries, the header, the answer.
type Line = (&'static str, String, Unauthenticated);

fn refused(name: &'static str, header: String, refusal: Refusal) -> Line {
    (name, header, Unauthenticated::Token(refusal))
}

fn not_allowed(name: &str) -> Refusal {
    Refusal::NotAllowed(name.to_owned())
}

fn wrong_type(name: &str) -> Refusal {
    Refusal::WrongType(name.to_owned())
}

fn missing(name: &str) -> Refusal {
    Refusal::Missing(name.to_owned())
}

#[rustfmt::skip] // a table
fn keys_and_algorithms() -> Vec<Line> {
    let public_key = public_set()["keys"][0].to_string();
    let modulus = URL_SAFE_NO_PAD.decode(public_set()["keys"][0]["n"].as_str().unwrap()).unwrap();
    let hmac = |secret: &[u8]| { let key = jsonwebtoken::EncodingKey::from_secret(secret); move |message: &[u8]| sign_by(&key, "HS256", message) };
    vec![
        refused("none", token().algorithm("none").bearer(), Refusal::Algorithm),
        refused("None", token().algorithm("None").bearer(), Refusal::Algorithm),
        refused("NONE", token().algorithm("NONE").bearer(), Refusal::Algorithm),
        refused("no algorithm", token().algorithm("").bearer(), Refusal::Algorithm),
        refused("algorithm in lower case", token().algorithm("rs256").bearer(), Refusal::Algorithm),
        refused("algorithm with a space", token().algorithm("RS256 ").bearer(), Refusal::Algorithm),
        refused("algorithm of a curve that is not allowed", token().algorithm("ES256K").bearer(), Refusal::Algorithm),
        refused("encryption", token().algorithm("RSA-OAEP").bearer(), Refusal::Algorithm),
        refused("algorithm as a number", token().header("alg", json!(256)).bearer(), Refusal::HeaderMember("alg")),
        refused("algorithm as a list", token().header("alg", json!(["RS256"])).bearer(), Refusal::HeaderMember("alg")),
        refused("none without a signature", token().algorithm("none").signed(|_| String::new()), Refusal::NotSigned),
        refused("signature stripped", token().signed(|_| String::new()), Refusal::NotSigned),
        refused("signature of another message", token().signed(|_| sign("RS256", b"x")), Refusal::Signature),
        refused("signature of another key", token().signed(|message| sign_by(&keys().other_rsa, "RS256", message)), Refusal::Signature),
        refused("public key as shared secret", token().algorithm("HS256").signed(hmac(public_key.as_bytes())), Refusal::Signature),
        refused("modulus as shared secret", token().algorithm("HS256").signed(hmac(&modulus)), Refusal::Signature),
        refused("empty shared secret", token().algorithm("HS256").signed(hmac(b"")), Refusal::Signature),
        refused("shared secret under an RSA algorithm", token().signed(hmac(SHARED)), Refusal::Signature),
        refused("PS256 signature as RS256", token().signed(|message| sign("PS256", message)), Refusal::Signature),
        refused("RS384 signature as RS256", token().signed(|message| sign("RS384", message)), Refusal::Signature),
        refused("ES384 signature as ES256", token().algorithm("ES256").signed(|message| sign("ES384", message)), Refusal::Signature),
        refused("signature of zeros", token().algorithm("ES256").signed(|_| URL_SAFE_NO_PAD.encode([0; 64])), Refusal::Signature),
        refused("Ed25519 signature of zeros", token().algorithm("EdDSA").signed(|_| URL_SAFE_NO_PAD.encode([0; 64])), Refusal::Signature),
        refused("kid of another key", token().header("kid", json!("p256")).bearer(), Refusal::Signature),
        refused("kid of a key for encryption", token().header("kid", json!("for encryption")).bearer(), Refusal::Signature),
        refused("kid as a path", token().algorithm("ES256").header("kid", json!("../../../../dev/null")).bearer(), Refusal::Signature),
        refused("kid as SQL", token().algorithm("ES256").header("kid", json!("' UNION SELECT 'x")).bearer(), Refusal::Signature),
        refused("empty kid", token().algorithm("ES256").header("kid", json!("")).bearer(), Refusal::Signature),
        refused("kid with NUL", token().algorithm("ES256").header("kid", json!("p256\0")).bearer(), Refusal::Signature),
        refused("kid as a number", token().header("kid", json!(1)).bearer(), Refusal::HeaderMember("kid")),
        refused("kid as null", token().header("kid", Value::Null).bearer(), Refusal::HeaderMember("kid")),
    ]
}

#[rustfmt::skip] // a table
fn headers() -> Vec<Line> {
    let jwk = public_set()["keys"][0].clone();
    vec![
        refused("embedded key", token().header("jwk", jwk).bearer(), Refusal::HeaderMember("jwk")),
        refused("key by URL", token().header("jku", json!("https://evil.example/jwks.json")).bearer(), Refusal::HeaderMember("jku")),
        refused("certificate by URL", token().header("x5u", json!("https://evil.example/x.pem")).bearer(), Refusal::HeaderMember("x5u")),
        refused("embedded certificate", token().header("x5c", json!(["MIIB"])).bearer(), Refusal::HeaderMember("x5c")),
        refused("critical header", token().header("crit", json!(["exp"])).bearer(), Refusal::HeaderMember("crit")),
        refused("empty critical list", token().header("crit", json!([])).bearer(), Refusal::HeaderMember("crit")),
        refused("unencoded payload", token().header("b64", json!(false)).bearer(), Refusal::HeaderMember("b64")),
        refused("compressed", token().header("zip", json!("DEF")).bearer(), Refusal::HeaderMember("zip")),
        refused("encrypted", token().header("enc", json!("A128GCM")).bearer(), Refusal::HeaderMember("enc")),
        refused("access token as id token", token().header("typ", json!("at+jwt")).bearer(), Refusal::Type),
        refused("type of another use", token().header("typ", json!("secevent+jwt")).bearer(), Refusal::Type),
        refused("empty type", token().header("typ", json!("")).bearer(), Refusal::Type),
        refused("type as a list", token().header("typ", json!(["JWT"])).bearer(), Refusal::HeaderMember("typ")),
        refused("algorithm twice", token().header_and(r#","alg":"RS256""#).bearer(), Refusal::Header(JsonProblem::Duplicate)),
        refused("algorithm twice by an escape", token().header_and(r#","\u0061lg":"none""#).bearer(), Refusal::Header(JsonProblem::Duplicate)),
        refused("deep header", token().header_and(&format!(",\"x\":{}{}", "[".repeat(20), "]".repeat(20))).bearer(), Refusal::Header(JsonProblem::TooDeep)),
        refused("header with text behind it", token().header_and("}{").bearer(), Refusal::Header(JsonProblem::Malformed)),
    ]
}

#[rustfmt::skip] // a table
fn claims() -> Vec<Line> {
    vec![
        refused("no issuer", token().without("iss").bearer(), missing("iss")),
        refused("issuer with a slash more", token().claim("iss", json!("https://issuer.example/")).bearer(), not_allowed("iss")),
        refused("issuer in another case", token().claim("iss", json!("https://Issuer.example")).bearer(), not_allowed("iss")),
        refused("issuer by a look-alike letter", token().claim("iss", json!("https://\u{0456}ssuer.example")).bearer(), not_allowed("iss")),
        refused("issuer as a list", token().claim("iss", json!(["https://issuer.example"])).bearer(), wrong_type("iss")),
        refused("issuer null", token().claim("iss", Value::Null).bearer(), missing("iss")),
        refused("no audience", token().without("aud").bearer(), missing("aud")),
        refused("audience as a part", token().claim("aud", json!("elastic")).bearer(), not_allowed("aud")),
        refused("audience with more behind it", token().claim("aud", json!("elasticsearch2")).bearer(), not_allowed("aud")),
        refused("audience in another case", token().claim("aud", json!("Elasticsearch")).bearer(), not_allowed("aud")),
        refused("audience as a comma list", token().claim("aud", json!("x,elasticsearch")).bearer(), not_allowed("aud")),
        refused("empty audience list", token().claim("aud", json!([])).bearer(), not_allowed("aud")),
        refused("audience list with a number", token().claim("aud", json!(["elasticsearch", 1])).bearer(), wrong_type("aud")),
        refused("audience as an object", token().claim("aud", json!({ "elasticsearch": true })).bearer(), wrong_type("aud")),
        refused("no subject", token().without("sub").bearer(), missing("sub")),
        refused("subject as a number", token().claim("sub", json!(7)).bearer(), wrong_type("sub")),
        refused("subject as a list", token().claim("sub", json!(["jane"])).bearer(), wrong_type("sub")),
        refused("empty subject", token().claim("sub", json!("")).bearer(), Refusal::NoPrincipal("sub".to_owned())),
        refused("subject of spaces", token().claim("sub", json!("  ")).bearer(), Refusal::NoPrincipal("sub".to_owned())),
        refused("subject with NUL", token().claim("sub", json!("jane\0")).bearer(), Refusal::NoPrincipal("sub".to_owned())),
        refused("subject with a line break", token().claim("sub", json!("jane\r\nx: y")).bearer(), Refusal::NoPrincipal("sub".to_owned())),
        refused("groups as a number", token().claim("groups", json!(1)).bearer(), wrong_type("groups")),
        refused("groups as an object", token().claim("groups", json!({ "ml-admins": true })).bearer(), wrong_type("groups")),
        refused("groups of lists", token().claim("groups", json!([["ml-admins"]])).bearer(), wrong_type("groups")),
        refused("claim twice", token().claims_and(r#","sub":"elastic""#).bearer(), Refusal::Claims(JsonProblem::Duplicate)),
        refused("claim twice by an escape", token().claims_and(r#","s\u0075b":"elastic""#).bearer(), Refusal::Claims(JsonProblem::Duplicate)),
        refused("claims deep", token().claims_and(&format!(",\"x\":{}{}", "[".repeat(20), "]".repeat(20))).bearer(), Refusal::Claims(JsonProblem::TooDeep)),
        refused("claims as a list", token().claims_text("[]").bearer(), Refusal::Claims(JsonProblem::Malformed)),
        refused("claims empty", token().claims_text("").bearer(), Refusal::Claims(JsonProblem::Malformed)),
        refused("a token in the token", token().claims_text(&format!("\"{}\"", token().compact())).bearer(), Refusal::Claims(JsonProblem::Malformed)),
    ]
}

#[rustfmt::skip] // a table
fn dates() -> Vec<Line> {
    vec![
        refused("no end", token().without("exp").bearer(), missing("exp")),
        refused("end null", token().claim("exp", Value::Null).bearer(), missing("exp")),
        refused("end in the past", token().claim("exp", json!(NOW - 3600)).bearer(), Refusal::Expired),
        refused("end at zero", token().claim("exp", json!(0)).bearer(), Refusal::Expired),
        refused("end as a text", token().claim("exp", json!((NOW + 600).to_string())).bearer(), wrong_type("exp")),
        refused("end as a boolean", token().claim("exp", json!(true)).bearer(), wrong_type("exp")),
        refused("end below zero", token().claim("exp", json!(-1)).bearer(), wrong_type("exp")),
        refused("end huge", token().claim("exp", json!(u64::MAX)).bearer(), wrong_type("exp")),
        refused("end huge and signed", token().claim("exp", json!(i64::MAX)).bearer(), wrong_type("exp")),
        refused("end huge and floating", token().claim("exp", json!(1e300)).bearer(), wrong_type("exp")),
        refused("end in milliseconds", token().claim("exp", json!(NOW * 1_000_000)).bearer(), wrong_type("exp")),
        refused("end beyond numbers", token().claims_and(",\"x\":1e999").bearer(), Refusal::Claims(JsonProblem::Malformed)),
        refused("no beginning", token().without("iat").bearer(), missing("iat")),
        refused("issued later", token().claim("iat", json!(NOW + 3600)).bearer(), Refusal::NotYet("iat")),
        refused("issued as a text", token().claim("iat", json!("yesterday")).bearer(), wrong_type("iat")),
        refused("not before later", token().claim("nbf", json!(NOW + 3600)).bearer(), Refusal::NotYet("nbf")),
        refused("authenticated later", token().claim("auth_time", json!(NOW + 3600)).bearer(), Refusal::NotYet("auth_time")),
    ]
}

#[rustfmt::skip] // a table
fn shapes() -> Vec<Line> {
    let good = token().compact();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature_bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let malformed = |name, header: String, cause| (name, header, Unauthenticated::Malformed(cause));
    vec![
        refused("garbage", "Bearer garbage".to_owned(), Refusal::NotCompact),
        refused("two parts", format!("Bearer {message}"), Refusal::NotCompact),
        refused("four parts", format!("Bearer {good}.x"), Refusal::NotCompact),
        refused("five parts, as an encrypted one", format!("Bearer {good}.x.y"), Refusal::NotCompact),
        refused("dots", "Bearer ...".to_owned(), Refusal::NotSigned),
        refused("padded signature", format!("Bearer {message}.{}", URL_SAFE.encode(&signature_bytes)), Refusal::NotCompact),
        refused("standard alphabet", format!("Bearer {message}.{}", STANDARD.encode([0xfb; 30])), Refusal::NotCompact),
        refused("loose last bits", format!("Bearer {message}.AB"), Refusal::NotCompact),
        refused("line break in the signature", format!("Bearer {message}.%0A{signature}"), Refusal::NotCompact),
        refused("space in the token", format!("Bearer {message} .{signature}"), Refusal::NotCompact),
        refused("space behind the token", format!("Bearer {good} "), Refusal::NotCompact),
        refused("quoted", format!("Bearer \"{good}\""), Refusal::NotCompact),
        refused("two schemes", format!("Bearer Bearer {good}"), Refusal::NotCompact),
        refused("two tokens", format!("Bearer {good},{good}"), Refusal::NotCompact),
        refused("too long", token().claim("x", json!("x".repeat(16 * 1024))).bearer().chars().take(7 + 16 * 1024 + 1).collect(), Refusal::TooLong),
        malformed("endless", token().claim("x", json!("x".repeat(64 * 1024))).bearer(), Malformed::TooLong),
        malformed("two spaces", format!("Bearer  {good}"), Malformed::Scheme),
        malformed("a tab", format!("Bearer\t{good}"), Malformed::Scheme),
        malformed("no token", "Bearer".to_owned(), Malformed::Scheme),
        malformed("an empty token", "Bearer ".to_owned(), Malformed::Scheme),
        malformed("a token as basic credentials", format!("Basic {good}"), Malformed::BasicEncoding),
        ("another scheme", format!("JWT {good}"), Unauthenticated::Credentials { detail: None }),
        ("an api key", "ApiKey aWQ6a2V5".to_owned(), Unauthenticated::Credentials { detail: None }),
    ]
}

#[tokio::test]
async fn forged_and_broken_tokens_are_refused() {
    let realms = realms_of(jwt_settings());
    let worker = Worker::new();
    let lines = [keys_and_algorithms(), headers(), claims(), dates(), shapes()].concat();
    assert!(lines.len() >= 110, "{}", lines.len());
    let mut wrong = Vec::new();
    for (name, header, expected) in lines {
        // Twice: a refusal leaves nothing behind that the second time would be believed.
        for _ in 0..2 {
            let answer = worker.ask(&realms, &[&header]).await;
            if answer.as_ref().err() != Some(&expected) {
                wrong.push(format!("{name}: {answer:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn odd_but_good_tokens_are_taken_as_elasticsearch_takes_them() {
    let realms = realms_of(jwt_settings());
    let worker = Worker::new();
    #[rustfmt::skip] // a table
    let good = [
        ("scheme in lower case", token().bearer().replacen("Bearer", "bearer", 1)),
        ("scheme in upper case", token().bearer().replacen("Bearer", "BEARER", 1)),
        ("type in lower case", token().header("typ", json!("jwt")).bearer()),
        ("the right kid", token().header("kid", json!("rsa")).bearer()),
        ("thumbprint of a certificate", token().header("x5t", json!("AAAA")).bearer()),
        ("audience in a list", token().claim("aud", json!(["x", "kibana"])).bearer()),
        ("end with a fraction", token().claim("exp", json!(NOW as f64 + 600.5)).bearer()),
        ("end in exponent form", token().claims_and(",\"nbf\":1.7e9").bearer()),
        ("one group as a text", token().claim("groups", json!("ml-admins")).bearer()),
        ("groups null", token().claim("groups", Value::Null).bearer()),
        ("subject in other letters", token().claim("sub", json!("ж\u{1F980}")).bearer()),
    ];
    for (name, header) in good {
        let answer = worker.ask(&realms, &[&header]).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}
