//! `mlgate check`: everything that is wrong with a config and with what it names, or what it comes to.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output;
use crate::config::{Backend, ConfigFile, Settings};
use crate::gateway::{HostPattern, Identity};

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The config file [default: config/mlgate.yml, or what is shipped if there is none]
    #[arg(long, env = "MLGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs the same code as `serve` up to where that would listen.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(arguments: &CheckArguments) -> anyhow::Result<Exit> {
    let checked = ConfigFile::read(arguments.config.as_deref())
        .and_then(|file| file.preview().map(|preview| valid(&file, preview.settings())));
    match checked {
        Ok(report) => {
            output::result(&report)?;
            Ok(Exit::Done)
        }
        Err(problems) => {
            output::result(&format!("{problems}\n"))?;
            Ok(Exit::InvalidConfig)
        }
    }
}

fn valid(file: &ConfigFile, settings: &Settings) -> String {
    let shipped = if file.exists() { "" } else { " (no such file: what is shipped counts)" };
    let mut lines = vec![format!("{}: valid{shipped}", file.path().display())];
    for listener in &settings.listeners {
        let plaintext = listener.tls.is_none() && !file.has_tls(listener.address);
        let scheme = if plaintext { "http" } else { "https" };
        lines.push(format!("  listener  {scheme}://{}", listener.address));
    }
    if let Some(admin) = &settings.admin {
        lines.push(format!("  admin     http://{}", admin.address));
    }
    for cluster in &settings.clusters {
        let hosts: Vec<String> = cluster.hosts.iter().map(host).collect();
        let hosts = hosts.join(", ");
        lines.push(format!(
            "  cluster   {} (hosts {hosts}): {}",
            cluster.name,
            backend(&cluster.backend, cluster.identity)
        ));
    }
    let realms = &settings.authentication.realms;
    lines.push(format!(
        "  realms    {}",
        realms.iter().map(|realm| realm.name().to_owned()).collect::<Vec<_>>().join(", ")
    ));
    lines.extend(settings.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n") + "\n"
}

fn host(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Any => "*".to_owned(),
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Suffix(suffix) => format!("*{suffix}"),
    }
}

fn backend(backend: &Backend, identity: Identity) -> String {
    match backend {
        Backend::Embedded(embedded) => format!("embedded node, data in {}", embedded.node.data.display()),
        Backend::Nodes(upstream) => {
            let scheme = |secure| if secure { "https" } else { "http" };
            let nodes = upstream.nodes.iter().map(|node| format!("{}://{}", scheme(node.secure), node.authority()));
            format!("{}, identity {}", nodes.collect::<Vec<_>>().join(", "), identity_name(identity))
        }
    }
}

/// As the config writes it.
const fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Passthrough => "passthrough",
        Identity::Service => "service",
        Identity::RunAs => "run_as",
        Identity::None => "none",
        Identity::Vouched => "vouched",
    }
}
