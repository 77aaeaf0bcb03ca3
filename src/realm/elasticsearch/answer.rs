//! What a cluster says of a caller, read strictly: a member that counts and comes twice, has another type or is missing
//! makes it no answer.
//!
//! Source: elasticsearch-specification, `specification/security/{authenticate,has_privileges}`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::policy::rights::{exact_privileges, questions};
use crate::policy::{Account, ClusterRights, RoleName};

const USERNAME_BYTES_MAX: usize = 1024;
/// Privileges in one answer: some more than are asked for.
const ANSWERS_MAX: usize = 1024;
/// Of a reason that is told to the caller.
const REASON_BYTES_MAX: usize = 1024;

/// Why an answer is not relied on. For the log; tells nothing of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::realm) enum Odd {
    #[error("it is not the JSON that was expected")]
    Malformed,
    #[error("the user name is empty, too long or has control characters")]
    Username,
    #[error("the user is not enabled")]
    NotEnabled,
    #[error("it is about another user")]
    OtherUser,
    #[error("[has_all_requested] contradicts the single answers")]
    Contradiction,
}

/// Who a cluster says somebody is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) username: String,
    /// Sorted, without duplicates.
    pub(super) roles: Vec<RoleName>,
    /// Never [`Account::RunAs`]: the answer does not tell it from a user.
    pub(super) account: Account,
    /// The anonymous user of the cluster, who has no credentials.
    pub(super) anonymous: bool,
}

#[derive(Deserialize)]
struct AuthenticateBody {
    username: String,
    roles: Vec<String>,
    enabled: bool,
    authentication_realm: Option<RealmBody>,
    authentication_type: Option<String>,
    api_key: Option<ApiKeyBody>,
}

#[derive(Deserialize)]
struct RealmBody {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct ApiKeyBody {
    id: String,
}

/// Reads the answer to `GET /_security/_authenticate`.
///
/// # Errors
/// Other JSON, a user that is not enabled, a name that nobody has.
pub(super) fn caller(body: &[u8]) -> Result<Caller, Odd> {
    let body: AuthenticateBody = serde_json::from_slice(body).map_err(|_| Odd::Malformed)?;
    if !body.enabled {
        return Err(Odd::NotEnabled);
    }
    let plain =
        |text: &str| !text.is_empty() && text.len() <= USERNAME_BYTES_MAX && !text.chars().any(char::is_control);
    let id = body.api_key.map(|key| key.id);
    if !plain(&body.username) || id.as_deref().is_some_and(|id| !plain(id)) {
        return Err(Odd::Username);
    }
    let realm = body.authentication_realm.map(|realm| realm.kind).unwrap_or_default();
    let account = match id {
        Some(id) => Account::ApiKey { id },
        None if realm == "_service_account" => Account::ServiceAccount,
        None => Account::User,
    };
    let mut roles: Vec<RoleName> = body.roles.into_iter().map(RoleName::new).collect();
    roles.sort_unstable();
    roles.dedup();
    let anonymous = body.authentication_type.as_deref() == Some("anonymous") || realm == "__anonymous";
    Ok(Caller { username: body.username, roles, account, anonymous })
}

/// The body of `POST /_security/user/_has_privileges` that asks for everything; privileges that an older cluster may
/// not know are left out on request.
pub(super) fn privileges_question(with_exact: bool) -> Vec<u8> {
    let exact = exact_privileges().filter(|_| with_exact);
    let names: Vec<&str> = questions().iter().copied().chain(exact).collect();
    serde_json::json!({ "cluster": names }).to_string().into_bytes()
}

#[derive(Deserialize)]
struct PrivilegesBody {
    username: String,
    has_all_requested: bool,
    cluster: Answers,
}

/// Reads the answer to [`privileges_question`] about `username`.
///
/// # Errors
/// Other JSON, another user, single answers that do not add up to `has_all_requested`.
pub(super) fn rights(body: &[u8], username: &str, account: Account, with_exact: bool) -> Result<ClusterRights, Odd> {
    let body: PrivilegesBody = serde_json::from_slice(body).map_err(|_| Odd::Malformed)?;
    if body.username != username {
        return Err(Odd::OtherUser);
    }
    let answer = |name: &str| body.cluster.0.get(name).copied();
    let exact = exact_privileges().filter(|_| with_exact);
    let all = questions().iter().copied().chain(exact).all(|name| answer(name) == Some(true));
    if all != body.has_all_requested {
        return Err(Odd::Contradiction);
    }
    Ok(ClusterRights::new(account, answer))
}

/// Names to answers; a name that comes twice is refused, and so are very many.
struct Answers(BTreeMap<String, bool>);

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswersVisitor)
    }
}

struct AnswersVisitor;

impl<'de> Visitor<'de> for AnswersVisitor {
    type Value = Answers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("names of privileges with true or false")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answers, A::Error> {
        let mut answers = BTreeMap::new();
        while let Some((name, answer)) = map.next_entry::<String, bool>()? {
            if answers.insert(name, answer).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
            if answers.len() > ANSWERS_MAX {
                return Err(A::Error::custom("more names than anybody asks for"));
            }
        }
        Ok(Answers(answers))
    }
}

/// `additional_unsuccessful_credentials` of a 401, as far as it can be told to the caller.
pub(super) fn refusal_detail(body: &[u8]) -> Option<String> {
    error_text(body, "additional_unsuccessful_credentials")
}

/// The reason of a 403, as far as it can be told to the caller.
pub(super) fn denial_reason(body: &[u8]) -> Option<String> {
    error_text(body, "reason")
}

fn error_text(body: &[u8], member: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = body.get("error")?.get(member)?.as_str()?;
    let plain = !text.is_empty() && text.len() <= REASON_BYTES_MAX && !text.chars().any(char::is_control);
    plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
