//! What a request presents, and what became of it.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use super::elasticsearch::Cluster;
use super::jwt::Refusal;
use super::pki::{self, ClientCertificate};
use crate::policy::Principal;

/// What a request presents. Borrowed from its head.
pub struct Credentials<'a> {
    /// The values of all `Authorization` headers.
    pub authorization: Vec<&'a [u8]>,
    /// The value of `ES-Client-Authentication`.
    pub shared_secret: Option<&'a [u8]>,
    /// That of the connection, which the listener accepts at present.
    pub certificate: Option<&'a ClientCertificate>,
    /// The values of all `es-security-runas-user` headers. Of weight for an elasticsearch realm only.
    pub run_as: Vec<&'a [u8]>,
    /// The cluster that the request is for; `None` where there is none that could be asked.
    pub cluster: Option<&'a Cluster>,
    /// Where it comes from; `None` where many callers stand behind one address.
    pub address: Option<IpAddr>,
    /// When the request came in, by the wall clock.
    pub now: SystemTime,
    /// The same moment, by the clock that never jumps.
    pub instant: Instant,
}

/// What is known of the caller of a request that may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// A verified caller, or the anonymous user.
    Caller(Rc<Principal>),
    /// No credentials, and no anonymous user is configured.
    Nobody,
}

/// Why credentials were not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// The header itself cannot be read.
    #[error("malformed credentials")]
    Malformed(#[source] Malformed),
    /// Basic credentials that are wrong; whether the user exists is not told.
    #[error("unable to authenticate user [{username}]")]
    User { username: String },
    /// Credentials that no realm verified. `detail` may be told to the caller (`additional_unsuccessful_credentials`).
    #[error("unable to authenticate with provided credentials")]
    Credentials { detail: Option<String> },
    /// As `Credentials`, with what the log alone is told: where attempts are limited, an answer with a detail would tell
    /// that the credential was weighed.
    #[error("unable to authenticate with provided credentials")]
    Undisclosed { detail: String },
    /// A bearer token that no realm verified: the caller gets the text of `Credentials`, the log the reason.
    #[error("unable to authenticate with provided credentials")]
    Token(#[source] Refusal),
    /// A client certificate that the listener or every pki realm refuses: told as `Token` is.
    #[error("unable to authenticate with provided credentials")]
    Certificate(#[source] pki::Refusal),
    /// The cluster says that the credentials are good, but not for this: 403 with its reason.
    #[error("{reason}")]
    Forbidden { reason: String },
    /// The cluster gives no answer that can be relied on: 503.
    #[error("the cluster does not say who the caller is")]
    Unavailable,
    /// Not weighed: too many attempts from there failed. The caller gets the text of a wrong credential.
    #[error("too many failed attempts")]
    Limited { username: Option<String> },
    /// Too many passwords wait for their verification, or one waited too long: 429, try again.
    #[error("too many authentications are waiting")]
    Busy,
}

/// Why an `Authorization` header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("more than one authorization header")]
    SeveralHeaders,
    /// Elasticsearch: "multiple values for single-valued header".
    #[error("more than one es-security-runas-user header")]
    SeveralRunAs,
    /// As above.
    #[error("more than one ES-Client-Authentication header")]
    SeveralSecrets,
    #[error("authorization header is longer than any credential may be")]
    TooLong,
    /// No scheme, or not followed by exactly one space.
    #[error("authorization header is not a scheme, one space and a credential")]
    Scheme,
    /// Elasticsearch: "invalid basic authentication header encoding".
    #[error("basic credentials are not base64 of UTF-8")]
    BasicEncoding,
    /// Elasticsearch: "invalid basic authentication header value".
    #[error("basic credentials have no colon or no user name")]
    BasicValue,
}
