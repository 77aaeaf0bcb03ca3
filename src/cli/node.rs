//! `mlgate node`: the embedded node alone, for several gateways or for CI.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use super::output;
use crate::node::{self, Security};
use crate::telemetry::log;

#[derive(Debug, Args)]
pub struct NodeArguments {
    /// Where it listens: plain HTTP; without --security on loopback only
    #[arg(long, default_value = "127.0.0.1:9200", value_name = "ADDRESS")]
    pub address: SocketAddr,
    /// The folder of its data
    #[arg(long, default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// A folder with users, users_roles and roles.yml: authenticates and authorizes as Elasticsearch does
    #[arg(long, value_name = "DIR")]
    pub security: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// A system that gives no runtime.
pub fn run(arguments: NodeArguments) -> anyhow::Result<Exit> {
    if arguments.security.is_none() && !arguments.address.ip().is_loopback() {
        output::failure(&anyhow::anyhow!(
            "[{}] is not a loopback address: without --security everybody who reaches it may do everything",
            arguments.address
        ));
        return Ok(Exit::Usage);
    }
    log::start("info", log::Format::Ecs);
    let settings = node::Settings {
        address: arguments.address,
        data: arguments.data,
        cluster_name: "mlgate-node".to_owned(),
        security: arguments.security.map_or(Security::Off, Security::Files),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anybody can know that it listens: a signal that comes later ends it well.
    let stop = {
        let _inside = runtime.enter();
        told_to_stop()?
    };
    let running = match node::start(settings) {
        Ok(running) => running,
        Err(problem) => {
            output::failure(&anyhow::Error::new(problem));
            return Ok(Exit::InvalidConfig);
        }
    };
    tracing::info!(url.full = format!("http://{}", running.address()), "listening");
    runtime.block_on(stop);
    running.stop();
    Ok(Exit::Done)
}

/// Until SIGTERM or SIGINT.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
