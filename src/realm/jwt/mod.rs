//! The `jwt` realm: bearer tokens signed by an issuer that the config names.

mod checks;
mod client;
mod issuer;
mod json;
mod key;
mod keys;
mod pattern;
mod realm;
mod refusal;
mod settings;
mod token;

pub use issuer::{
    Intervals, IssuerKeys, IssuerSettings, IssuerTls, KeySetState, KeySetStatus, KeySetUrl, KeySetUrlProblem, WAIT_MAX,
};
pub use json::JsonProblem;
pub(in crate::realm) use key::Key;
pub use key::KeyProblem;
pub use keys::{KeySet, KeySetProblem};
pub use pattern::{ClaimPattern, SubjectPattern};
pub(in crate::realm) use realm::{Bearer, JwtRealm};
pub use refusal::Refusal;
pub use settings::{
    Algorithm, ClaimPatterns, ClaimSources, ClientAuthentication, FallbackClaims, Settings, SettingsProblem, TokenType,
    UnknownAlgorithm,
};
pub(in crate::realm) use token::{TOKEN_BYTES_MAX, Token};
