//! The running parts of one cluster: its node if it is embedded, its health, its gate, and the tasks that follow them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::problem::StartProblem;
use crate::audit::ControlSender;
use crate::config::{Backend, ClusterSettings, Settings};
use crate::gate::{self, Control, Gate};
use crate::gateway;
use crate::node::{self, RunningNode};
use crate::secret::Secret;
use crate::upstream::{self, ControlClient, Credentials, Health, NodeUrl};

/// One cluster while the gateway runs.
pub(super) struct RunningCluster {
    pub(super) name: String,
    pub(super) gate: Arc<Gate>,
    pub(super) health: Arc<Health>,
    upstream: upstream::Settings,
    embedded: Option<Embedded>,
    audit: ControlSender,
    /// Health and gate.
    tasks: Vec<JoinHandle<()>>,
}

struct Embedded {
    node: RunningNode,
    secret: Secret<String>,
}

impl RunningCluster {
    /// Starts the node if there is one, and the tasks on `runtime`.
    ///
    /// # Errors
    /// A node that cannot start, a journal that cannot be read, nodes that cannot be reached by any name.
    pub(super) fn start(
        cluster: &ClusterSettings,
        settings: &Settings,
        runtime: &Handle,
        audit: ControlSender,
    ) -> Result<Self, StartProblem> {
        let (upstream, embedded) = backend(cluster)?;
        let health = Health::new(upstream.nodes.len());
        let client = ControlClient::new(&upstream, Arc::clone(&health))?;
        let control = control(runtime, client.clone(), &upstream, &audit);
        let remembered = gate::recall(&settings.gate.journal, &cluster.name)?;
        let gate = Gate::new(cluster.name.clone(), settings.gate.clone(), control, settings.workers, remembered);
        let tasks = follow(runtime, &cluster.name, &upstream, client, &gate);
        Ok(Self { name: cluster.name.clone(), gate, health, upstream, embedded, audit, tasks })
    }

    /// Takes over other settings of the same cluster; view, counts and the embedded node stay.
    ///
    /// # Errors
    /// Nodes that cannot be reached by any name; nothing has changed then.
    pub(super) fn rearrange(
        &mut self,
        cluster: &ClusterSettings,
        settings: &Settings,
        runtime: &Handle,
    ) -> Result<(), StartProblem> {
        let Backend::Nodes(upstream) = &cluster.backend else {
            self.replace_roles(cluster)?;
            let control = self.control_of(runtime)?;
            self.gate.rearrange(settings.gate.clone(), control);
            return Ok(());
        };
        let health = Health::new(upstream.nodes.len());
        let client = ControlClient::new(upstream, Arc::clone(&health))?;
        self.gate.rearrange(settings.gate.clone(), control(runtime, client.clone(), upstream, &self.audit));
        self.tasks.iter().for_each(JoinHandle::abort);
        self.tasks = follow(runtime, &self.name, upstream, client, &self.gate);
        self.health = health;
        self.upstream.clone_from(upstream);
        Ok(())
    }

    /// The embedded node grants by the same roles as the gateway, from the same moment on.
    fn replace_roles(&self, cluster: &ClusterSettings) -> Result<(), StartProblem> {
        let (Some(embedded), Backend::Embedded(settings)) = (&self.embedded, &cluster.backend) else { return Ok(()) };
        let roles = custom_roles(&settings.node);
        embedded.node.replace_roles(roles).map_err(node::StartError::from)?;
        Ok(())
    }

    fn control_of(&self, runtime: &Handle) -> Result<Control, StartProblem> {
        let client = ControlClient::new(&self.upstream, Arc::clone(&self.health))?;
        Ok(control(runtime, client, &self.upstream, &self.audit))
    }

    /// What the data plane sees of it.
    ///
    /// # Errors
    /// An identity without the credentials that it needs.
    pub(super) fn snapshot(&self, cluster: &ClusterSettings) -> Result<gateway::Cluster, StartProblem> {
        let secret = self.embedded.as_ref().map(|embedded| &embedded.secret);
        Ok(gateway::Cluster::new(
            &cluster.name,
            cluster.hosts.clone(),
            cluster.identity,
            &self.upstream,
            secret,
            Arc::clone(&self.health),
            Arc::clone(&self.gate),
        )?)
    }

    /// Names of its nodes, in the order of [`Health`].
    pub(super) fn nodes(&self) -> Vec<String> {
        self.upstream.nodes.iter().map(NodeUrl::authority).collect()
    }

    /// Ends the tasks, and the node after everything that it acknowledged is on disk.
    pub(super) fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(embedded) = self.embedded {
            embedded.node.stop();
        }
    }
}

fn backend(cluster: &ClusterSettings) -> Result<(upstream::Settings, Option<Embedded>), StartProblem> {
    match &cluster.backend {
        Backend::Nodes(upstream) => Ok((upstream.as_ref().clone(), None)),
        Backend::Embedded(settings) => {
            let embedded = Embedded::start(&settings.node)?;
            Ok((embedded.upstream(&settings.upstream), Some(embedded)))
        }
    }
}

impl Embedded {
    fn start(settings: &node::Settings) -> Result<Self, StartProblem> {
        let secret = random_secret()?;
        let roles = custom_roles(settings);
        let security = node::Security::Gateway { secret: secret.clone(), roles };
        let node = node::start(node::Settings { security, ..settings.clone() })?;
        Ok(Self { node, secret })
    }

    fn upstream(&self, settings: &upstream::Settings) -> upstream::Settings {
        let address = self.node.address();
        upstream::Settings {
            nodes: vec![NodeUrl { secure: false, host: address.ip().to_string(), port: address.port() }],
            credentials: Some(Credentials::Vouched(self.secret.clone())),
            ..settings.clone()
        }
    }
}

fn custom_roles(settings: &node::Settings) -> Option<PathBuf> {
    match &settings.security {
        node::Security::Gateway { roles, .. } => roles.clone(),
        node::Security::Off | node::Security::Files(_) => None,
    }
}

fn random_secret() -> Result<Secret<String>, StartProblem> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StartProblem::Random)?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn control(runtime: &Handle, client: ControlClient, upstream: &upstream::Settings, audit: &ControlSender) -> Control {
    Control { runtime: runtime.clone(), client, credentials: upstream.credentials.clone(), audit: audit.clone() }
}

fn follow(
    runtime: &Handle,
    name: &str,
    settings: &upstream::Settings,
    client: ControlClient,
    gate: &Arc<Gate>,
) -> Vec<JoinHandle<()>> {
    let health =
        upstream::health::watch(client, settings.health.clone(), settings.credentials.clone(), name.to_owned());
    let gate = Arc::clone(gate);
    vec![
        runtime.spawn(async move {
            health.await;
        }),
        runtime.spawn(async move {
            gate::watch(&gate).await;
        }),
    ]
}
