//! `authentication.realms[]` of type `jwt`.

use super::{Fault, KeyPath, Review};
use crate::config::document::{
    ClaimNames, ClaimPatternTexts, ClientAuthenticationDocument, JwtRealmDocument, SharedSecretType, TokenTypeDocument,
};
use crate::realm::jwt::{
    self, Algorithm, ClaimPattern, ClaimPatterns, ClaimSources, ClientAuthentication, FallbackClaims, SubjectPattern,
    TokenType,
};
use crate::secret::Secret;

impl Review<'_> {
    pub(super) fn jwt_realm(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Option<jwt::Settings> {
        let before = self.problems.len();
        if document.allowed_issuer.is_empty() {
            self.unexpected(&key.key("allowed_issuer"), "", "the issuer, as tokens name it in [iss]");
        }
        let settings = jwt::Settings {
            name: document.name.clone(),
            token_type: match document.token_type {
                TokenTypeDocument::IdToken => TokenType::IdToken,
                TokenTypeDocument::AccessToken => TokenType::AccessToken,
            },
            allowed_issuer: document.allowed_issuer.clone(),
            allowed_audiences: document.allowed_audiences.clone(),
            allowed_signature_algorithms: self.algorithms(&key.key("allowed_signature_algorithms"), document),
            allowed_clock_skew: document.allowed_clock_skew.0,
            allowed_subjects: document.allowed_subjects.clone(),
            allowed_subject_patterns: self.subject_patterns(&key.key("allowed_subject_patterns"), document),
            claims: claim_sources(&document.claims),
            claim_patterns: self.claim_patterns(&key.key("claim_patterns"), &document.claim_patterns),
            required_claims: document.required_claims.clone(),
            fallback_claims: FallbackClaims {
                sub: document.fallback_claims.sub.clone(),
                aud: document.fallback_claims.aud.clone(),
            },
            keys: self.key_set(key, document),
            issuer: self.issuer(key, document),
            client_authentication: self
                .client_authentication(&key.key("client_authentication"), &document.client_authentication),
            populate_user_metadata: document.populate_user_metadata,
        };
        // A key that could not be read is told once, not again as missing.
        if self.problems.len() == before {
            for problem in settings.problems() {
                self.fault(&key.key(problem.key()), Fault::Invalid(Box::new(problem)));
            }
        }
        (self.problems.len() == before).then_some(settings)
    }

    fn algorithms(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Vec<Algorithm> {
        let names = document.allowed_signature_algorithms.iter().enumerate();
        names.filter_map(|(index, name)| self.parsed(&key.index(index), name.parse::<Algorithm>())).collect()
    }

    fn subject_patterns(&mut self, key: &KeyPath, document: &JwtRealmDocument) -> Vec<SubjectPattern> {
        let patterns = document.allowed_subject_patterns.iter().enumerate();
        patterns.filter_map(|(index, pattern)| self.parsed(&key.index(index), SubjectPattern::parse(pattern))).collect()
    }

    fn claim_patterns(&mut self, key: &KeyPath, texts: &ClaimPatternTexts) -> ClaimPatterns {
        let mut pattern = |name: &str, text: &Option<String>| -> Option<ClaimPattern> {
            text.as_deref().and_then(|text| self.parsed(&key.key(name), ClaimPattern::parse(text)))
        };
        ClaimPatterns {
            principal: pattern("principal", &texts.principal),
            groups: pattern("groups", &texts.groups),
            name: pattern("name", &texts.name),
            mail: pattern("mail", &texts.mail),
            dn: pattern("dn", &texts.dn),
        }
    }

    fn client_authentication(
        &mut self,
        key: &KeyPath,
        document: &ClientAuthenticationDocument,
    ) -> ClientAuthentication {
        let secret =
            self.secret(key, "shared_secret", document.shared_secret.as_ref(), document.shared_secret_file.as_deref());
        let given = document.shared_secret.is_some() || document.shared_secret_file.is_some();
        match (document.kind, secret) {
            (SharedSecretType::SharedSecret, Some(secret)) => ClientAuthentication::SharedSecret {
                secret: Secret::new(secret.expose().clone().into_bytes()),
                rotation_grace_period: document.rotation_grace_period.0,
            },
            (SharedSecretType::SharedSecret, None) => {
                if !given {
                    self.fault(&key.key("type"), Fault::Needs { other: "shared_secret".to_owned() });
                }
                ClientAuthentication::None
            }
            (SharedSecretType::None, Some(_)) => {
                // Somebody wrote a secret and would believe that it is asked for.
                self.fault(&key.key("shared_secret"), Fault::Needs { other: "type: shared_secret".to_owned() });
                ClientAuthentication::None
            }
            (SharedSecretType::None, None) => ClientAuthentication::None,
        }
    }
}

fn claim_sources(names: &ClaimNames) -> ClaimSources {
    ClaimSources {
        principal: names.principal.clone(),
        groups: names.groups.clone(),
        name: names.name.clone(),
        mail: names.mail.clone(),
        dn: names.dn.clone(),
    }
}
