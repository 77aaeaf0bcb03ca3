//! Dates, at the edges of a skew of a minute.

use mlgate::realm::jwt::{JsonProblem, Refusal};
use serde_json::{Value, json};

use super::super::NOW;
use super::super::token::token;
use super::{Line, good, missing, refused, wrong_type};

#[rustfmt::skip] // a table
pub(super) fn lines() -> Vec<Line> {
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
        refused("end as a list", token().claim("exp", json!([NOW + 600])).bearer(), wrong_type("exp")),
        refused("end as an object", token().claim("exp", json!({})).bearer(), wrong_type("exp")),
        refused("end far below zero", token().claim("exp", json!(i64::MIN)).bearer(), wrong_type("exp")),
        refused("end below zero and floating", token().claim("exp", json!(-1e300)).bearer(), wrong_type("exp")),
        refused("end after the year 9999", token().claim("exp", json!(253_402_300_800_i64)).bearer(), wrong_type("exp")),
        refused("end at the edge of the skew", token().claim("exp", json!(NOW - 60)).bearer(), Refusal::Expired),
        refused("end at the edge of the skew by a fraction", token().claim("exp", json!(NOW as f64 - 59.5)).bearer(), Refusal::Expired),
        refused("issued at the edge of the skew", token().claim("iat", json!(NOW + 60)).bearer(), Refusal::NotYet("iat")),
        refused("issued null", token().claim("iat", Value::Null).bearer(), missing("iat")),
        refused("issued below zero", token().claim("iat", json!(-1)).bearer(), wrong_type("iat")),
        refused("not before at the edge of the skew", token().claim("nbf", json!(NOW + 60)).bearer(), Refusal::NotYet("nbf")),
        refused("not before as a text", token().claim("nbf", json!("0")).bearer(), wrong_type("nbf")),
        refused("not before below zero", token().claim("nbf", json!(-1)).bearer(), wrong_type("nbf")),
        refused("authenticated as a text", token().claim("auth_time", json!("now")).bearer(), wrong_type("auth_time")),
        good("end a second within the skew", token().claim("exp", json!(NOW - 59)).bearer()),
        good("issued a second within the skew", token().claim("iat", json!(NOW + 59)).bearer()),
        good("not before a second within the skew", token().claim("nbf", json!(NOW + 59)).bearer()),
        good("end with the year 9999", token().claim("exp", json!(253_402_300_799_i64)).bearer()),
        good("end with a fraction", token().claim("exp", json!(NOW as f64 + 600.5)).bearer()),
        good("not before in exponent form", token().claims_and(",\"nbf\":1.7e9").bearer()),
        good("not before null", token().claim("nbf", Value::Null).bearer()),
    ]
}
