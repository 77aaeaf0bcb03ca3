//! The one place where a cause becomes a status.

use http::StatusCode;

use super::Rejection;
use crate::gate::{Held, SwitchRefusal};
use crate::policy::Unroutable;
use crate::realm::{Malformed, Unauthenticated};
use crate::upstream::UpstreamError;

/// A status of 4xx or 5xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorStatus(StatusCode);

impl ErrorStatus {
    pub const BAD_REQUEST: Self = Self(StatusCode::BAD_REQUEST);
    pub const UNAUTHORIZED: Self = Self(StatusCode::UNAUTHORIZED);
    pub const FORBIDDEN: Self = Self(StatusCode::FORBIDDEN);
    pub const METHOD_NOT_ALLOWED: Self = Self(StatusCode::METHOD_NOT_ALLOWED);
    pub const REQUEST_TIMEOUT: Self = Self(StatusCode::REQUEST_TIMEOUT);
    pub const CONFLICT: Self = Self(StatusCode::CONFLICT);
    pub const PAYLOAD_TOO_LARGE: Self = Self(StatusCode::PAYLOAD_TOO_LARGE);
    pub const URI_TOO_LONG: Self = Self(StatusCode::URI_TOO_LONG);
    pub const EXPECTATION_FAILED: Self = Self(StatusCode::EXPECTATION_FAILED);
    pub const MISDIRECTED: Self = Self(StatusCode::MISDIRECTED_REQUEST);
    pub const TOO_MANY_REQUESTS: Self = Self(StatusCode::TOO_MANY_REQUESTS);
    pub const HEAD_TOO_LARGE: Self = Self(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    pub const INTERNAL: Self = Self(StatusCode::INTERNAL_SERVER_ERROR);
    pub const BAD_GATEWAY: Self = Self(StatusCode::BAD_GATEWAY);
    pub const UNAVAILABLE: Self = Self(StatusCode::SERVICE_UNAVAILABLE);
    pub const GATEWAY_TIMEOUT: Self = Self(StatusCode::GATEWAY_TIMEOUT);

    pub const fn code(self) -> StatusCode {
        self.0
    }
}

impl Rejection {
    pub fn status(&self) -> ErrorStatus {
        match self {
            Self::Malformed(_) | Self::BodyBroken | Self::BodyNotSupported | Self::Parameter { .. } => {
                ErrorStatus::BAD_REQUEST
            }
            Self::Method => ErrorStatus::METHOD_NOT_ALLOWED,
            Self::Expectation => ErrorStatus::EXPECTATION_FAILED,
            Self::Misdirected => ErrorStatus::MISDIRECTED,
            Self::TooLarge => ErrorStatus::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => ErrorStatus::REQUEST_TIMEOUT,
            Self::Unroutable(unroutable) => of_unroutable(unroutable),
            Self::Missing => ErrorStatus::UNAUTHORIZED,
            Self::Unauthenticated(unauthenticated) => of_unauthenticated(unauthenticated),
            Self::Uninspected { unread, .. } if unread.is_malformed() => ErrorStatus::BAD_REQUEST,
            Self::Denied { .. }
            | Self::Uninspected { .. }
            | Self::RunAs { .. }
            | Self::UnspeakableUser
            | Self::NotAsUser { .. } => ErrorStatus::FORBIDDEN,
            Self::Throttled { .. } => ErrorStatus::TOO_MANY_REQUESTS,
            Self::Held { held: Held::Unknown, .. } => ErrorStatus::UNAVAILABLE,
            Self::Held { held: Held::Fenced { .. }, job_reset: true, .. } => ErrorStatus::CONFLICT,
            Self::Held { held: Held::Fenced { .. }, job_reset: false, .. } => ErrorStatus::TOO_MANY_REQUESTS,
            Self::Switch(refusal) => of_switch(refusal),
            Self::Upstream(error) => of_upstream(error),
            Self::Internal(_) => ErrorStatus::INTERNAL,
        }
    }
}

const fn of_unroutable(unroutable: &Unroutable) -> ErrorStatus {
    match unroutable {
        Unroutable::Target(_) | Unroutable::NoHandler => ErrorStatus::BAD_REQUEST,
        // `OPTIONS` is answered before it gets here; without an answer it is a method that is not served.
        Unroutable::MethodNotAllowed(_) | Unroutable::Options(_) => ErrorStatus::METHOD_NOT_ALLOWED,
    }
}

const fn of_unauthenticated(unauthenticated: &Unauthenticated) -> ErrorStatus {
    match unauthenticated {
        Unauthenticated::Malformed(Malformed::SeveralHeaders | Malformed::SeveralRunAs | Malformed::SeveralSecrets) => {
            ErrorStatus::BAD_REQUEST
        }
        Unauthenticated::Malformed(
            Malformed::TooLong | Malformed::Scheme | Malformed::BasicEncoding | Malformed::BasicValue,
        )
        | Unauthenticated::User { .. }
        | Unauthenticated::Limited { .. }
        | Unauthenticated::Token(_)
        | Unauthenticated::Certificate(_)
        | Unauthenticated::Undisclosed { .. }
        | Unauthenticated::Credentials { .. } => ErrorStatus::UNAUTHORIZED,
        Unauthenticated::Forbidden { .. } => ErrorStatus::FORBIDDEN,
        Unauthenticated::Unavailable => ErrorStatus::UNAVAILABLE,
        Unauthenticated::Busy => ErrorStatus::TOO_MANY_REQUESTS,
    }
}

const fn of_switch(refusal: &SwitchRefusal) -> ErrorStatus {
    match refusal {
        SwitchRefusal::Query(_) => ErrorStatus::BAD_REQUEST,
        SwitchRefusal::Busy { .. } => ErrorStatus::TOO_MANY_REQUESTS,
        SwitchRefusal::StillAdmitted { .. }
        | SwitchRefusal::Unverified(_)
        | SwitchRefusal::HalfDone { .. }
        | SwitchRefusal::GoesOn(_) => ErrorStatus::GATEWAY_TIMEOUT,
        SwitchRefusal::Upstream(error) => of_upstream(error),
        SwitchRefusal::Stopping => ErrorStatus::UNAVAILABLE,
    }
}

const fn of_upstream(error: &UpstreamError) -> ErrorStatus {
    match error {
        UpstreamError::NoHealthyNode
        | UpstreamError::Connect { .. }
        | UpstreamError::ConnectTimeout { .. }
        | UpstreamError::Exhausted { .. } => ErrorStatus::UNAVAILABLE,
        UpstreamError::Broken { .. } | UpstreamError::Unusable { .. } | UpstreamError::AnswerTooLarge { .. } => {
            ErrorStatus::BAD_GATEWAY
        }
        UpstreamError::ResponseTimeout { .. } => ErrorStatus::GATEWAY_TIMEOUT,
    }
}
