//! A jwt realm at work: from a token to a principal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::checks::{check, texts};
use super::client::ClientSecret;
use super::issuer::IssuerKeys;
use super::json::{Json, Object};
use super::key::Key;
use super::keys::KeySet;
use super::pattern::ClaimPattern;
use super::refusal::Refusal;
use super::settings::Settings;
use super::token::Token;
use crate::policy::{Principal, RealmRef, Rights};
use crate::realm::credentials::Credentials;
use crate::realm::role_mapping::{Fact, Facts, RoleMapping, Subject, texts as texts_of};

/// A jwt realm.
pub(in crate::realm) struct JwtRealm {
    settings: Settings,
    issuer: Option<Arc<IssuerKeys>>,
    client: Option<ClientSecret>,
}

/// A token that is good.
pub(in crate::realm) struct Bearer {
    pub(in crate::realm) principal: Principal,
    /// From then on the token is worth nothing; clock skew included.
    pub(in crate::realm) ends_at: SystemTime,
    /// From then on the client's secret is no longer good, if that is known.
    pub(in crate::realm) client_ends_at: Option<Instant>,
    /// Once it is withdrawn the token is worth nothing either.
    pub(in crate::realm) key: Arc<Key>,
}

impl JwtRealm {
    /// `earlier`: the realm of the same name before a reload. Its fetched keys are good until new ones are there, and its
    /// client secret for a while.
    pub(in crate::realm) fn build(settings: &Settings, earlier: Option<&Self>) -> Self {
        let fetched = earlier.and_then(|earlier| earlier.issuer.as_deref());
        let new = |issuer| Arc::new(IssuerKeys::new(&settings.name, issuer, fetched));
        let client = earlier.and_then(|earlier| earlier.client.as_ref());
        Self {
            issuer: settings.issuer.clone().map(new),
            client: ClientSecret::new(&settings.client_authentication, client, Instant::now()),
            settings: settings.clone(),
        }
    }

    pub(in crate::realm) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(in crate::realm) const fn issuer(&self) -> Option<&Arc<IssuerKeys>> {
        self.issuer.as_ref()
    }

    pub(in crate::realm) const fn weighs_shared_secret(&self) -> bool {
        self.client.is_some()
    }

    /// Checks a token and says who presents it, with the roles that `role_mapping` gives.
    ///
    /// # Errors
    /// The first check that fails; the signature is the last one.
    pub(in crate::realm) fn verify(
        &self,
        token: &Token<'_>,
        credentials: &Credentials<'_>,
        role_mapping: &RoleMapping,
    ) -> Result<Bearer, Refusal> {
        let client = self.client.as_ref().map(|client| client.check(credentials.shared_secret, credentials.instant));
        let client_ends_at = client.transpose()?.flatten();
        let dates = check(&self.settings, token, credentials.now)?;
        let key = self.key_of(token).ok_or_else(|| self.no_key(token, dates.issued_at))?;
        let principal = self.principal(&token.claims, role_mapping)?;
        Ok(Bearer { principal, ends_at: dates.ends_at, client_ends_at, key })
    }

    /// Waits for the keys of a fetch that the token makes necessary; false if there was nothing to wait for.
    pub(in crate::realm) async fn fetched_for(&self, token: &Token<'_>, network: Option<IpAddr>) -> bool {
        let Some(issuer) = &self.issuer else { return false };
        issuer.renewed(network, |keys| token.key_id.as_deref().is_some_and(|id| keys.has(id))).await
    }

    fn key_of(&self, token: &Token<'_>) -> Option<Arc<Key>> {
        let id = token.key_id.as_deref();
        let of = |keys: &KeySet| keys.verify(id, token.algorithm, token.message, token.signature);
        of(&self.settings.keys).or_else(|| self.issuer.as_ref()?.look(of))
    }

    /// Whether the issuer may have a key that is not known here: nothing that is known has the id of the token, and the
    /// token is not older than what is known. An issuer publishes a key before it signs by it.
    fn no_key(&self, token: &Token<'_>, issued_at: SystemTime) -> Refusal {
        let Some(issuer) = self.issuer.as_ref().filter(|_| !token.algorithm.is_hmac()) else {
            return Refusal::Signature;
        };
        let known = token.key_id.as_deref().is_some_and(|id| issuer.look(|keys| keys.has(id)));
        let latest = issued_at.checked_add(self.settings.allowed_clock_skew).unwrap_or(issued_at);
        let older = issuer.as_of().is_some_and(|as_of| latest < as_of);
        if known || older { Refusal::Signature } else { Refusal::UnknownKey }
    }

    fn principal(&self, claims: &Object, role_mapping: &RoleMapping) -> Result<Principal, Refusal> {
        let Settings { claims: sources, claim_patterns: patterns, name: realm, .. } = &self.settings;
        let username = one(claims, Some(&sources.principal), patterns.principal.as_ref())?
            .filter(|name| !name.trim().is_empty() && !name.chars().any(char::is_control))
            .ok_or_else(|| Refusal::NoPrincipal(sources.principal.clone()))?;
        let groups = many(claims, sources.groups.as_deref(), patterns.groups.as_ref())?;
        let dn = one(claims, sources.dn.as_deref(), patterns.dn.as_ref())?;
        let facts = self.facts(claims);
        let subject = Subject { username: &username, dn: dn.as_deref(), groups: &groups, metadata: &facts, realm };
        Ok(Principal {
            roles: role_mapping.roles(&subject).into_iter().collect(),
            rights: Rights::Roles,
            realm: RealmRef { name: realm.clone(), kind: "jwt" },
            full_name: one(claims, sources.name.as_deref(), patterns.name.as_ref())?,
            email: one(claims, sources.mail.as_deref(), patterns.mail.as_ref())?,
            username,
            groups,
            metadata: texts_of(&facts),
        })
    }

    /// `jwt_token_type`, and `jwt_claim_<name>` for each claim that is a text, a number, a boolean or a list of those.
    ///
    /// Source: Elasticsearch, `JwtRealm.buildUserMetadata`, where dates are of none of these types.
    fn facts(&self, claims: &Object) -> Facts {
        let token_type = Fact::Text(self.settings.token_type.as_str().to_owned());
        let mut facts = Facts::from([("jwt_token_type".to_owned(), vec![token_type])]);
        if self.settings.populate_user_metadata {
            let shown = claims.iter().filter(|(name, _)| !matches!(name.as_str(), "exp" | "nbf" | "iat"));
            facts.extend(shown.filter_map(|(name, value)| Some((format!("jwt_claim_{name}"), plain_list(value)?))));
        }
        facts
    }
}

/// The first value of a claim.
fn one(claims: &Object, name: Option<&str>, pattern: Option<&ClaimPattern>) -> Result<Option<String>, Refusal> {
    Ok(many(claims, name, pattern)?.into_iter().next())
}

/// The values of a claim, each cut by the pattern; those that do not match are left out.
fn many(claims: &Object, name: Option<&str>, pattern: Option<&ClaimPattern>) -> Result<Vec<String>, Refusal> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let values = texts(claims, name)?.unwrap_or_default().into_iter();
    let cut = values.filter_map(|value| pattern.map_or(Some(value), |pattern| pattern.extract(value)));
    Ok(cut.filter(|value| !value.is_empty()).map(str::to_owned).collect())
}

fn plain_list(value: &Json) -> Option<Vec<Fact>> {
    match value {
        Json::List(items) => items.iter().map(plain).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => Some(vec![plain(value)?]),
    }
}

fn plain(value: &Json) -> Option<Fact> {
    match value {
        Json::Text(text) => Some(Fact::Text(text.clone())),
        Json::Bool(value) => Some(Fact::Bool(*value)),
        Json::Number(number) => Some(Fact::Number(number.clone())),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}
