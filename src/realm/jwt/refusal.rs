//! Why a token is refused: for the log and the audit trail. The caller is told none of it.

use super::json::JsonProblem;

/// Why a token is refused. Holds nothing of the token but names of claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the client did not authenticate by the shared secret")]
    ClientAuthentication,
    #[error("longer than 16 KiB")]
    TooLong,
    #[error("not three parts of base64url")]
    NotCompact,
    #[error("not signed")]
    NotSigned,
    #[error("header: {0}")]
    Header(JsonProblem),
    #[error("claims: {0}")]
    Claims(JsonProblem),
    #[error("header [{0}] is refused")]
    HeaderMember(&'static str),
    #[error("header [typ] is not that of the token type")]
    Type,
    #[error("header [alg] is not an allowed signature algorithm")]
    Algorithm,
    #[error("no claim [{0}]")]
    Missing(String),
    #[error("claim [{0}] has the wrong type")]
    WrongType(String),
    #[error("claim [{0}] has a value that is not allowed")]
    NotAllowed(String),
    #[error("claim [{0}] is not in the past")]
    NotYet(&'static str),
    #[error("expired")]
    Expired,
    #[error("the signature is not good by any key of the realm")]
    Signature,
    #[error("signed by a key that the issuer has not published")]
    UnknownKey,
    #[error("no principal in claim [{0}]")]
    NoPrincipal(String),
}
