//! Members of the header.

use mlgate::realm::jwt::{JsonProblem, Refusal};
use serde_json::{Value, json};

use super::super::signing::public_set;
use super::super::token::token;
use super::{Line, good, refused};

#[rustfmt::skip] // a table
pub(super) fn lines() -> Vec<Line> {
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
        refused("embedded key null", token().header("jwk", Value::Null).bearer(), Refusal::HeaderMember("jwk")),
        refused("critical header that nobody knows", token().header("crit", json!(["https://example.com/x"])).header("https://example.com/x", json!(true)).bearer(), Refusal::HeaderMember("crit")),
        refused("critical header null", token().header("crit", Value::Null).bearer(), Refusal::HeaderMember("crit")),
        refused("unencoded payload that is critical", token().header("b64", json!(false)).header("crit", json!(["b64"])).bearer(), Refusal::HeaderMember("crit")),
        refused("encoded payload that says so", token().header("b64", json!(true)).bearer(), Refusal::HeaderMember("b64")),
        refused("type with a space", token().header("typ", json!("JWT ")).bearer(), Refusal::Type),
        refused("type with NUL", token().header("typ", json!("JWT\0")).bearer(), Refusal::Type),
        refused("type as a media type", token().header("typ", json!("application/jwt")).bearer(), Refusal::Type),
        refused("type of a logout token", token().header("typ", json!("logout+jwt")).bearer(), Refusal::Type),
        refused("type of a proof", token().header("typ", json!("dpop+jwt")).bearer(), Refusal::Type),
        refused("type by look-alike letters", token().header("typ", json!("J\u{0428}T")).bearer(), Refusal::Type),
        refused("type null", token().header("typ", Value::Null).bearer(), Refusal::HeaderMember("typ")),
        refused("header as a list", token().header_text("[]").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header as a text", token().header_text("\"RS256\"").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header null", token().header_text("null").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header empty", token().header_text("").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header behind a mark of its encoding", token().header_text("\u{feff}{\"alg\":\"RS256\"}").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header with a comment", token().header_text("{\"alg\":\"RS256\"/**/}").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("header in single quotes", token().header_text("{'alg':'RS256'}").bearer(), Refusal::Header(JsonProblem::Malformed)),
        refused("none first, a good algorithm second", token().header_text(r#"{"alg":"none","alg":"RS256"}"#).bearer(), Refusal::Header(JsonProblem::Duplicate)),
        good("no type", token().without_header("typ").bearer()),
        good("type in lower case", token().header("typ", json!("jwt")).bearer()),
        good("thumbprint of a certificate", token().header("x5t", json!("AAAA")).bearer()),
        good("header with white space", token().header_text(" { \"alg\" : \"RS256\" }\n").bearer()),
    ]
}
