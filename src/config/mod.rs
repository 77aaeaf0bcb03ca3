//! The config file: what it says, what is wrong with it, and the settings that the parts rely on.

mod check;
mod document;
mod environment;
mod file;
mod first_start;
mod key_path;
mod named_file;
mod problem;
mod reference;
mod review;
mod seen_file;
mod shape;
mod tls;
mod yaml;

pub use environment::VariableFault;
pub use file::ConfigFile;
pub use first_start::{CertificateFiles, FirstStart, UsersFiles};
pub use key_path::{KeyPath, Step};
pub use named_file::FileFault;
pub use problem::{Fault, Found, Note, Problem, Problems};
pub use reference::page as reference_page;
pub use review::Preview;
pub use seen_file::SeenFile;
pub use shape::json_schema;
pub use tls::{CertificateFault, TlsFault};
pub use yaml::{Construct, Mark, YamlFault};

use std::net::SocketAddr;
use std::path::Path;

use crate::policy::Roles;
use crate::telemetry::log;
use crate::{audit, gate, gateway, node, realm, upstream};

/// A config file and everything it names, read, parsed and valid.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Not empty.
    pub listeners: Vec<gateway::ListenerSettings>,
    pub admin: Option<AdminSettings>,
    /// At least 1.
    pub workers: usize,
    /// Not empty.
    pub clusters: Vec<ClusterSettings>,
    pub authentication: realm::Settings,
    pub roles: Roles,
    pub gate: gate::Settings,
    pub limits: gateway::Limits,
    pub timeouts: gateway::Timeouts,
    pub logging: LoggingSettings,
    pub audit: audit::Settings,
    /// Every file that was read, for reloads.
    pub files: Vec<SeenFile>,
    /// What works but may not be meant, such as a certificate that expires soon.
    pub notes: Vec<Note>,
}

/// Reads a config file and everything it names; `None` is `config/mlgate.yml`, or the shipped default without it.
///
/// # Errors
/// Everything that is wrong, each in a line of its own.
pub fn load(path: Option<&Path>) -> Result<Settings, Problems> {
    ConfigFile::read(path)?.settings()
}

#[derive(Clone, Debug)]
pub struct ClusterSettings {
    pub name: String,
    pub hosts: Vec<gateway::HostPattern>,
    pub identity: gateway::Identity,
    pub backend: Backend,
}

#[derive(Clone, Debug)]
pub enum Backend {
    Nodes(Box<upstream::Settings>),
    Embedded(Box<EmbeddedSettings>),
}

/// The embedded node and the way to it.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// The secret is filled in at start.
    pub node: node::Settings,
    /// Node and credentials are filled in at start.
    pub upstream: upstream::Settings,
}

#[derive(Clone, Debug)]
pub struct AdminSettings {
    pub address: SocketAddr,
}

#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// A `tracing` filter level.
    pub level: String,
    pub format: log::Format,
}

#[cfg(test)]
mod tests;
