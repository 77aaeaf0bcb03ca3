//! The header itself, and the parts of a token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use mlgate::realm::jwt::{JsonProblem, Refusal};
use mlgate::realm::{Malformed, Unauthenticated};
use serde_json::json;

use super::super::token::token;
use super::{Line, malformed, refused};

#[rustfmt::skip] // a table
pub(super) fn lines() -> Vec<Line> {
    let good = token().compact();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (good_header, rest) = good.split_once('.').unwrap();
    let signature_bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
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
        unknown("another scheme", format!("JWT {good}")),
        unknown("an api key", "ApiKey aWQ6a2V5".to_owned()),
        refused("padded header", format!("Bearer {}=.{rest}", good_header), Refusal::NotCompact),
        refused("padding written as an escape", format!("Bearer {good}%3D"), Refusal::NotCompact),
        refused("a dot behind the token", format!("Bearer {good}."), Refusal::NotSigned),
        refused("a dot before the token", format!("Bearer .{good}"), Refusal::Header(JsonProblem::Malformed)),
        refused("no header", format!("Bearer .{rest}"), Refusal::Header(JsonProblem::Malformed)),
        refused("no claims", format!("Bearer {good_header}..{signature}"), Refusal::Claims(JsonProblem::Malformed)),
        refused("signature for header", format!("Bearer {signature}.{message}"), Refusal::Header(JsonProblem::Malformed)),
        refused("slash of the other alphabet", format!("Bearer {message}.a/aa"), Refusal::NotCompact),
        refused("letters that are none of base64", format!("Bearer {message}.{}", "\u{7e}".repeat(40)), Refusal::NotCompact),
        refused("with a name before it", format!("Bearer token={good}"), Refusal::NotCompact),
        refused("with a parameter behind it", format!("Bearer {good}, realm=x"), Refusal::NotCompact),
        refused("in angle brackets", format!("Bearer <{good}>"), Refusal::NotCompact),
        malformed("a space before the scheme", format!(" Bearer {good}"), Malformed::Scheme),
        malformed("no scheme", good.clone(), Malformed::Scheme),
        malformed("nothing", String::new(), Malformed::Scheme),
        malformed("a wide space", format!("Bearer\u{a0}{good}"), Malformed::Scheme),
        malformed("NUL behind the token", format!("Bearer {good}\0"), Malformed::Scheme),
        malformed("a line break behind the token", format!("Bearer {good}\r\nx: y"), Malformed::Scheme),
        malformed("letters that are not ASCII", format!("Bearer {good}\u{e9}"), Malformed::Scheme),
        malformed("basic credentials of a token", format!("Basic {}", STANDARD.encode(&good)), Malformed::BasicValue),
        unknown("a scheme with a colon", format!("Bearer: {good}")),
        unknown("a scheme by a look-alike letter's place", format!("Bearr {good}")),
        unknown("negotiation", "Negotiate YII=".to_owned()),
        unknown("a proof's scheme", format!("DPoP {good}")),
        several("the same header twice", [format!("Bearer {good}"), format!("Bearer {good}")]),
        several("a good header and a bad one", [format!("Bearer {good}"), "Bearer x".to_owned()]),
        several("two schemes in two headers", [format!("Bearer {good}"), "Basic ZWxhc3RpYzpjaGFuZ2VtZQ==".to_owned()]),
        several("a good header and an empty one", [format!("Bearer {good}"), String::new()]),
        super::good("scheme in lower case", format!("bearer {good}")),
        super::good("scheme in upper case", format!("BEARER {good}")),
        super::good("scheme in mixed case", format!("bEaReR {good}")),
    ]
}

fn unknown(name: &'static str, header: String) -> Line {
    Line { name, headers: vec![header], expected: Err(Unauthenticated::Credentials { detail: None }) }
}

fn several(name: &'static str, headers: [String; 2]) -> Line {
    let expected = Err(Unauthenticated::Malformed(Malformed::SeveralHeaders));
    Line { name, headers: headers.to_vec(), expected }
}
