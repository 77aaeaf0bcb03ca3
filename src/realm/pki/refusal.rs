//! Why a certificate is refused.

/// Why the holder of a certificate is not who it says. For the log: the caller is told only that it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The listener would not take it today: expired, revoked, its authority gone; or the listener asks for none any more.
    #[error("the listener does not accept the certificate any more")]
    Unacceptable,
    /// No chain to an authority of the realm.
    #[error("certificate is not trusted by the realm")]
    Untrusted,
    #[error("certificate cannot be read")]
    Unreadable,
    #[error("the names of the certificate are too long")]
    TooLong,
    #[error("the subject is not a well-formed distinguished name")]
    Subject,
    /// A control character, NUL included, in the subject or in an alternative name.
    #[error("a name of the certificate has a control character")]
    ControlCharacter,
    /// Elasticsearch's text form shows it as it shows another value.
    #[error("a value of the subject is in quotes of its own")]
    Quoted,
    /// What the pattern takes begins or ends inside of a value that has to be quoted.
    #[error("the user name would be a piece of a quoted value")]
    PieceOfValue,
    /// One relative name has the attribute twice.
    #[error("the subject names the user twice")]
    Ambiguous,
}
