//! Credentials to principal.
//!
//! [`Settings`] hold everything parsed: users, keys, mappings. [`Realms`] is built from them once per load and shared by
//! all workers; each worker's [`Chain`] asks it and keeps what it learned; [`Verifier`] hashes passwords elsewhere.
//!
//! **Invariant**: what is not verified is refused. No password, token or secret is in a log, an error or a `Debug`.

mod attempts;
mod authorization;
mod basis;
mod cache;
mod chain;
mod credentials;
pub mod elasticsearch;
pub mod file;
pub mod jwt;
mod nearest;
mod pace;
mod password_check;
mod pattern;
pub mod pki;
mod realms;
mod refusals;
pub mod role_mapping;
pub mod roles_file;
mod run_as;
mod settings;
mod single_flight;
mod verifier;
mod yaml;

pub use attempts::AttemptLimits;
pub use chain::Chain;
pub use credentials::{Credentials, Malformed, Unauthenticated, Verified};
pub use elasticsearch::Cluster;
pub use nearest::nearest;
pub use pace::Paces;
pub use pattern::PatternProblem;
pub use realms::{Realms, RealmsProblem};
pub use run_as::RunAs;
pub use settings::{Anonymous, CacheSettings, RealmSettings, Required, Settings};
pub use verifier::Verifier;
pub use yaml::Place;
