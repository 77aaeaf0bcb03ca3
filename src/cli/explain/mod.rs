//! `mlgate explain`: what a request reaches, what it needs, who has it, and what upgrade mode does to it.
//!
//! By the same policy code as the gateway's, without a request being sent anywhere.

mod caller;
mod explanation;
mod text;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::exit::Exit;
use super::output;
use crate::config::{ConfigFile, Settings};

use explanation::Explanation;

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("caller").required(true).args(["user", "role"])))]
pub struct ExplainArguments {
    /// The config file [default: config/mlgate.yml, or what is shipped if there is none]
    #[arg(long, env = "MLGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The cluster that the request is for; can be left out if there is one
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// A user of a file realm, or the anonymous user; with --realm a user that this realm has verified
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The realm of --user; where it is no file realm, roles come from role_mapping.yml
    #[arg(long, value_name = "NAME", requires = "user")]
    pub realm: Option<String>,
    /// A group of --user, for role_mapping.yml; several: more than once
    #[arg(long, value_name = "NAME", requires = "realm")]
    pub group: Vec<String>,
    /// The distinguished name of --user, for role_mapping.yml
    #[arg(long, value_name = "NAME", requires = "realm")]
    pub dn: Option<String>,
    /// Somebody who has this role; several: more than once, or with commas between
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub role: Vec<String>,
    /// The method, such as POST
    pub method: String,
    /// Path and query, such as /_ml/anomaly_detectors/web/_open
    pub path: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints the explanation; a request that would be refused is explained as well, and no failure of the command.
///
/// # Errors
/// A user or cluster that does not exist, a method that is no token.
pub fn run(arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let read = ConfigFile::read(arguments.config.as_deref()).and_then(|file| file.preview());
    let preview = match read {
        Ok(preview) => preview,
        Err(problems) => {
            output::message(&problems.to_string());
            return Ok(Exit::InvalidConfig);
        }
    };
    let explanation = explain(arguments, preview.settings())?;
    if arguments.json {
        output::result(&format!("{}\n", serde_json::to_string_pretty(&explanation)?))?;
    } else {
        output::result(&text::render(&explanation))?;
    }
    Ok(Exit::Done)
}

fn explain(arguments: &ExplainArguments, settings: &Settings) -> anyhow::Result<Explanation> {
    let method = http::Method::from_bytes(arguments.method.to_ascii_uppercase().as_bytes())
        .with_context(|| format!("[{}] is not an HTTP method", arguments.method))?;
    let cluster = cluster(arguments.cluster.as_deref(), settings)?;
    let principal = match (&arguments.user, &arguments.realm) {
        (Some(name), None) => caller::by_name(name, settings)?,
        (Some(name), Some(realm)) => {
            caller::of_realm(name, realm, &arguments.group, arguments.dn.as_deref(), settings)?
        }
        (None, _) => caller::with_roles(&arguments.role),
    };
    Ok(Explanation::new(cluster, principal, &method, &arguments.path, settings))
}

fn cluster(name: Option<&str>, settings: &Settings) -> anyhow::Result<String> {
    let known = || settings.clusters.iter().map(|cluster| cluster.name.as_str());
    match name {
        Some(name) if known().any(|known| known == name) => Ok(name.to_owned()),
        Some(name) => {
            anyhow::bail!("no cluster [{name}] in the config; there is [{}]", known().collect::<Vec<_>>().join(", "))
        }
        None => Ok(known().collect::<Vec<_>>().join(", ")),
    }
}
