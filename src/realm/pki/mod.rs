//! The `pki` realm: who a client certificate says its holder is.
//!
//! The TLS handshake has proved that the caller holds the key, and that an authority of the listener signed the
//! certificate. Which name is taken from it, and how it is written, is Elasticsearch's `PkiRealm`.
//!
//! **Invariant**: a name that could be read as another one is refused, never repaired.

mod certificate;
mod distinguished_name;
mod realm;
mod refusal;
mod settings;

pub use certificate::ClientCertificate;
pub(super) use certificate::Remembered;
pub(super) use realm::PkiRealm;
pub use refusal::Refusal;
pub use settings::{Settings, Trust, Username, UsernameProblem};
