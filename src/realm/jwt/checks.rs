//! What a token must say, before its signature is looked at.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::json::{Json, Object};
use super::refusal::Refusal;
use super::settings::{Settings, TokenType};
use super::token::Token;

/// Latest date that is taken: the end of the year 9999, in seconds. What lies behind it is a slip or a trick.
const SECONDS_MAX: i64 = 253_402_300_799;

/// When a token begins and ends.
pub(super) struct Dates {
    /// `iat`.
    pub(super) issued_at: SystemTime,
    /// `exp` and the clock skew.
    pub(super) ends_at: SystemTime,
}

/// Checks header and claims in Elasticsearch's order.
///
/// Source: Elasticsearch, `JwtAuthenticator.java` and its validators.
pub(super) fn check(settings: &Settings, token: &Token<'_>, now: SystemTime) -> Result<Dates, Refusal> {
    check_type(settings.token_type, token.kind.as_deref())?;
    let claims = &token.claims;
    if single(claims, "iss")? != settings.allowed_issuer {
        return Err(Refusal::NotAllowed("iss".to_owned()));
    }
    check_subject(settings, claims)?;
    let audience = fallback(claims, "aud", settings.fallback_claims.aud.as_deref());
    check_any(claims, audience, &settings.allowed_audiences)?;
    if !settings.allowed_signature_algorithms.contains(&token.algorithm) {
        return Err(Refusal::Algorithm);
    }
    let dates = check_dates(settings, claims, now)?;
    for (name, allowed) in &settings.required_claims {
        check_any(claims, name, allowed)?;
    }
    Ok(dates)
}

fn check_type(expected: TokenType, kind: Option<&str>) -> Result<(), Refusal> {
    let Some(kind) = kind else { return Ok(()) };
    let plain = kind.eq_ignore_ascii_case("JWT");
    let access = expected == TokenType::AccessToken && kind.eq_ignore_ascii_case("at+jwt");
    if plain || access { Ok(()) } else { Err(Refusal::Type) }
}

fn check_subject(settings: &Settings, claims: &Object) -> Result<(), Refusal> {
    let name = fallback(claims, "sub", settings.fallback_claims.sub.as_deref());
    let subject = single(claims, name)?;
    let any = settings.allowed_subjects.is_empty() && settings.allowed_subject_patterns.is_empty();
    let allowed = any
        || settings.allowed_subjects.iter().any(|allowed| allowed == subject)
        || settings.allowed_subject_patterns.iter().any(|pattern| pattern.matches(subject));
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed(name.to_owned())) }
}

/// The claim itself, or what stands in for it where it is missing.
fn fallback<'a>(claims: &Object, name: &'a str, instead: Option<&'a str>) -> &'a str {
    instead.filter(|_| !claims.contains_key(name)).unwrap_or(name)
}

/// `iat` and `exp` must be there, and id tokens must not begin (`nbf`) or be authenticated (`auth_time`) later.
fn check_dates(settings: &Settings, claims: &Object, now: SystemTime) -> Result<Dates, Refusal> {
    let skew = settings.allowed_clock_skew;
    let latest = now.checked_add(skew).unwrap_or(now);
    let past = |name: &'static str| match date(claims, name)? {
        Some(moment) if moment >= latest => Err(Refusal::NotYet(name)),
        moment => Ok(moment),
    };
    let missing = |name: &str| Refusal::Missing(name.to_owned());
    let issued_at = past("iat")?.ok_or_else(|| missing("iat"))?;
    let end = date(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let ends_at = end.checked_add(skew).ok_or_else(|| Refusal::WrongType("exp".to_owned()))?;
    if ends_at <= now {
        return Err(Refusal::Expired);
    }
    past("nbf")?;
    if settings.token_type == TokenType::IdToken {
        past("auth_time")?;
    }
    Ok(Dates { issued_at, ends_at })
}

/// Seconds since 1970; a fraction is dropped.
fn date(claims: &Object, name: &str) -> Result<Option<SystemTime>, Refusal> {
    let wrong = || Refusal::WrongType(name.to_owned());
    let number = match claims.get(name) {
        None => return Ok(None),
        Some(Json::Number(number)) => number,
        Some(_) => return Err(wrong()),
    };
    let seconds = match (number.as_i64(), number.as_f64()) {
        (Some(seconds), _) => seconds,
        // The bounds hold in 53 bits, so that the conversion is exact.
        (None, Some(float)) if (0.0..=SECONDS_MAX as f64).contains(&float) => float as i64,
        _ => return Err(wrong()),
    };
    let seconds = u64::try_from(seconds).ok().filter(|_| seconds <= SECONDS_MAX).ok_or_else(wrong)?;
    Ok(Some(UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// A claim that is one text.
fn single<'a>(claims: &'a Object, name: &str) -> Result<&'a str, Refusal> {
    let value = claims.get(name).ok_or_else(|| Refusal::Missing(name.to_owned()))?;
    value.as_text().ok_or_else(|| Refusal::WrongType(name.to_owned()))
}

/// Whether a claim, a text or a list of texts, has one of the allowed values.
fn check_any(claims: &Object, name: &str, allowed: &[String]) -> Result<(), Refusal> {
    let values = texts(claims, name)?.ok_or_else(|| Refusal::Missing(name.to_owned()))?;
    let found = values.iter().any(|value| allowed.iter().any(|allowed| allowed == value));
    if found { Ok(()) } else { Err(Refusal::NotAllowed(name.to_owned())) }
}

/// A claim that is a text or a list of texts; `None` without it.
pub(super) fn texts<'a>(claims: &'a Object, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
    let wrong = || Refusal::WrongType(name.to_owned());
    match claims.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(text)) => Ok(Some(vec![text])),
        Some(Json::List(items)) => {
            items.iter().map(|item| item.as_text().ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
        }
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => Err(wrong()),
    }
}
