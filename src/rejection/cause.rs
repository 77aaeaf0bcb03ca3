//! Why a request is refused.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::gate::{Held, SwitchRefusal};
use crate::inspection::Unread;
use crate::policy::{Denial, Unroutable};
use crate::realm::{Unauthenticated, pki};
use crate::upstream::UpstreamError;

/// One refusal, with the facts of its answer.
#[derive(Debug)]
pub enum Rejection {
    /// HTTP that is ambiguous or not for us.
    Malformed(Malformation),
    /// A method that nobody here serves: CONNECT, TRACE.
    Method,
    /// `Expect` of something other than `100-continue`.
    Expectation,
    /// No cluster answers to the host, or another one than to the name of the TLS handshake.
    Misdirected,
    /// The body is larger than `max_content_length`.
    TooLarge,
    /// The caller sent nothing of the body for too long.
    BodyTimeout,
    /// The body broke off or is badly framed.
    BodyBroken,
    Unroutable(Unroutable),
    /// No credentials where they are needed.
    Missing,
    Unauthenticated(Unauthenticated),
    Denied {
        denial: Box<Denial>,
        username: String,
        /// What in the body it is for.
        on: Option<String>,
    },
    /// A body that may hold what the caller may not do, and cannot be judged.
    Uninspected {
        unread: Unread,
        denial: Box<Denial>,
        username: String,
    },
    /// Requests of one principal that come faster than allowed; the next one may come after `wait`.
    Throttled {
        username: String,
        wait: Duration,
    },
    /// `es-security-runas-user` without the right to it, or where it cannot be passed on.
    RunAs {
        username: String,
        run_as: String,
        roles: Vec<String>,
    },
    /// A credential in the query, where the caller's credentials end at the gateway.
    Parameter {
        name: String,
    },
    /// A user name that cannot stand in a header.
    UnspeakableUser,
    /// A caller that the cluster would take for somebody who may more.
    NotAsUser {
        username: String,
        what: &'static str,
    },
    /// By the gate; `action` as Elasticsearch names it, if the table knows.
    Held {
        held: Held,
        action: Option<&'static str>,
        job_reset: bool,
        now: SystemTime,
    },
    /// A body where Elasticsearch takes none.
    BodyNotSupported,
    Switch(Arc<SwitchRefusal>),
    Upstream(UpstreamError),
    /// Not for any reason of the caller's.
    Internal(&'static str),
}

/// What is wrong with the HTTP of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformation {
    #[error("the Host header is missing")]
    NoHost,
    #[error("there is more than one Host header")]
    SeveralHosts,
    #[error("the Host header is not a valid host")]
    InvalidHost,
    #[error("the Host header and the target name different hosts")]
    HostDisagrees,
    #[error("Transfer-Encoding must be exactly [chunked]")]
    TransferEncoding,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    TwoLengths,
    #[error("protocol upgrades are not supported")]
    Upgrade,
    #[error("the Connection header names a header that is no business of the connection")]
    ConnectionNames,
}

/// A refusal without its facts: for metrics and audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    Malformed,
    Misdirected,
    TooLarge,
    BodyTimeout,
    Unroutable,
    Unauthenticated,
    /// Authentication is overloaded.
    AuthenticationBusy,
    /// Too many attempts from there failed: answered as `Unauthenticated`.
    AuthenticationLimited,
    /// The cluster does not say who the caller is.
    AuthenticationUnavailable,
    Denied,
    Throttled,
    Held,
    GateUnknown,
    Switch,
    Upstream,
    Internal,
}

impl Rejection {
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Malformed(_)
            | Self::Method
            | Self::Expectation
            | Self::BodyBroken
            | Self::BodyNotSupported
            | Self::Parameter { .. } => Cause::Malformed,
            Self::Misdirected => Cause::Misdirected,
            Self::TooLarge => Cause::TooLarge,
            Self::BodyTimeout => Cause::BodyTimeout,
            Self::Unroutable(_) => Cause::Unroutable,
            Self::Unauthenticated(Unauthenticated::Busy) => Cause::AuthenticationBusy,
            Self::Unauthenticated(Unauthenticated::Limited { .. }) => Cause::AuthenticationLimited,
            Self::Unauthenticated(Unauthenticated::Unavailable) => Cause::AuthenticationUnavailable,
            Self::Unauthenticated(Unauthenticated::Forbidden { .. }) => Cause::Denied,
            Self::Missing | Self::Unauthenticated(_) => Cause::Unauthenticated,
            Self::Uninspected { unread, .. } if unread.is_malformed() => Cause::Malformed,
            Self::Denied { .. }
            | Self::Uninspected { .. }
            | Self::RunAs { .. }
            | Self::UnspeakableUser
            | Self::NotAsUser { .. } => Cause::Denied,
            Self::Throttled { .. } => Cause::Throttled,
            Self::Held { held: Held::Fenced { .. }, .. } => Cause::Held,
            Self::Held { held: Held::Unknown, .. } => Cause::GateUnknown,
            Self::Switch(_) => Cause::Switch,
            Self::Upstream(_) => Cause::Upstream,
            Self::Internal(_) => Cause::Internal,
        }
    }

    /// Whether the connection is closed after the answer: its framing is not to be trusted, or the body was not read.
    pub const fn closes(&self) -> bool {
        match self {
            Self::Malformed(_) | Self::Method | Self::TooLarge | Self::BodyTimeout | Self::BodyBroken => true,
            // A new handshake tells the caller what is wrong.
            Self::Unauthenticated(Unauthenticated::Certificate(pki::Refusal::Unacceptable)) => true,
            Self::Expectation
            | Self::Misdirected
            | Self::Unroutable(_)
            | Self::Missing
            | Self::Unauthenticated(_)
            | Self::Denied { .. }
            | Self::Throttled { .. }
            | Self::Uninspected { .. }
            | Self::RunAs { .. }
            | Self::UnspeakableUser
            | Self::NotAsUser { .. }
            | Self::Held { .. }
            | Self::BodyNotSupported
            | Self::Parameter { .. }
            | Self::Switch(_)
            | Self::Upstream(_)
            | Self::Internal(_) => false,
        }
    }
}
