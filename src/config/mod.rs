//! The config file: what it says, what is wrong with it, and the settings that the parts rely on.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::policy::Roles;
use crate::{gate, gateway, node, realm, upstream};

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
    pub audit: AuditSettings,
    /// Every file that was read, for reloads.
    pub files: Vec<PathBuf>,
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
    Nodes(upstream::Settings),
    /// The address and the secret are filled in at start.
    Embedded(node::Settings),
}

#[derive(Clone, Debug)]
pub struct AdminSettings {
    pub address: SocketAddr,
}

#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// A `tracing` filter level.
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Ecs,
    Text,
}

#[derive(Clone, Debug)]
pub struct AuditSettings {
    pub events: Vec<String>,
}
