//! A gateway with its workers, on a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use mlgate::audit::{ControlSender, Sender};
use mlgate::gate::{self, FenceFacts, Gate, Remembered, View};
use mlgate::gateway::recorder::Recorder;
use mlgate::gateway::worker::{self, Worker};
use mlgate::gateway::{Cluster, HostPattern, Identity, Limits, ListenerSettings, Shared, Snapshot, Timeouts, listener};
use mlgate::policy::upgrade_mode::{Event, GateState, Machine, WhenUnknown};
use mlgate::policy::{Role, RoleName, Roles};
use mlgate::realm::{self, AttemptLimits, Realms, Required, RunAs, Verifier};
use mlgate::secret::Secret;
use mlgate::upstream::{self, ControlClient, Health, NodeUrl};
use tokio::sync::watch;

/// What a gateway is started with; the default has one worker, no TLS, and users whose password is their name.
pub(crate) struct Setup {
    pub(crate) workers: usize,
    pub(crate) clusters: Vec<ClusterSetup>,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) proxy_protocol: bool,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Name and role of each user.
    pub(crate) users: Vec<(&'static str, &'static str)>,
    /// The cluster is asked about callers, after the file realm if there are users.
    pub(crate) elasticsearch_realm: bool,
    /// Names that a role allows to run as: role, pattern.
    pub(crate) run_as: Vec<(&'static str, &'static str)>,
    pub(crate) required: Required,
    pub(crate) failed_attempts: AttemptLimits,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
}

pub(crate) struct ClusterSetup {
    pub(crate) name: &'static str,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) identity: Identity,
    pub(crate) nodes: Vec<SocketAddr>,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    pub(crate) credentials: Option<upstream::Credentials>,
    pub(crate) state: GateState,
    /// Whether the gate looks at `_ml/info` and `_tasks` before it believes an acknowledgement.
    pub(crate) verify: bool,
    /// What its answer to a switch may take beyond the time of the switch.
    pub(crate) answer_grace: Duration,
    /// Whether the gate looks at the cluster by itself, again and again.
    pub(crate) watch: bool,
    /// An `off` that is older counts as unknown.
    pub(crate) max_staleness: Duration,
    /// A mode that is on for longer is warned of.
    pub(crate) alert_after: Duration,
    /// For what no request brings about.
    pub(crate) audit: ControlSender,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

impl ClusterSetup {
    pub(crate) fn of(nodes: &[SocketAddr]) -> Self {
        Self {
            name: "main",
            hosts: vec![HostPattern::Any],
            identity: Identity::Passthrough,
            nodes: nodes.to_vec(),
            tls: None,
            credentials: None,
            state: GateState::Off,
            verify: false,
            answer_grace: Duration::from_secs(5),
            max_staleness: Duration::from_secs(3600),
            watch: false,
            alert_after: Duration::from_secs(3600),
            audit: ControlSender::default(),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(60),
        }
    }
}

impl Setup {
    pub(crate) fn of(nodes: &[SocketAddr]) -> Self {
        Self {
            workers: 1,
            clusters: vec![ClusterSetup::of(nodes)],
            tls: None,
            proxy_protocol: false,
            trusted_proxies: Vec::new(),
            users: vec![("elastic", "superuser"), ("ml_admin", "machine_learning_admin"), ("reader", "viewer")],
            elasticsearch_realm: false,
            run_as: Vec::new(),
            required: Required::Ml,
            failed_attempts: AttemptLimits { window: Duration::from_secs(60), per_address: 0, per_user: 0 },
            limits: Limits {
                max_header_bytes: 64 * 1024,
                max_content_length: 100 * 1024 * 1024,
                max_connections: 1000,
                max_connections_per_ip: 1000,
                requests_per_second_per_principal: 0,
                inspect_buffer: 1024 * 1024,
            },
            timeouts: Timeouts {
                header: Duration::from_secs(60),
                body: Duration::from_secs(60),
                idle: Duration::from_secs(60),
                drain: Duration::from_secs(60),
            },
        }
    }

    pub(crate) fn cluster(&mut self) -> &mut ClusterSetup {
        &mut self.clusters[0]
    }
}

/// A running gateway; stopped when dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) health: Vec<Arc<Health>>,
    pub(crate) gates: Vec<Arc<Gate>>,
    shared: Arc<Shared>,
    /// Of all its gates.
    pub(crate) journal: tempfile::TempDir,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
    _control: tokio::runtime::Runtime,
}

impl Gateway {
    pub(crate) fn start(setup: Setup) -> Self {
        Self::start_after(setup, |_| false)
    }

    /// Runs `before` when the socket listens and nobody accepts yet; if it says so, the workers are stopped from the start.
    pub(crate) fn start_after(setup: Setup, before: impl FnOnce(SocketAddr) -> bool) -> Self {
        let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let journal = tempfile::tempdir().unwrap();
        let started = setup.clusters.iter().map(|one| cluster(one, setup.workers, &control, journal.path()));
        let (clusters, health): (Vec<(Cluster, Arc<Gate>)>, Vec<_>) = started.unzip();
        let (clusters, gates) = clusters.into_iter().unzip();
        let first = listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let mut sockets = vec![first];
        sockets.extend((1..setup.workers).map(|_| listener::bind(address).unwrap()));
        let shared = Shared::new(snapshot(&setup, clusters, address));
        let (stop, stopped) = watch::channel(before(address));
        let workers = sockets
            .into_iter()
            .enumerate()
            .map(|(index, socket)| {
                let (shared, stop, count) = (Arc::clone(&shared), stopped.clone(), setup.workers);
                std::thread::spawn(move || work(index, count, socket, shared, stop))
            })
            .collect();
        Self { address, health, gates, shared, stop, workers, journal, _control: control }
    }

    /// In front of one node, with everything else as usual.
    pub(crate) fn before(node: SocketAddr) -> Self {
        Self::start(Setup::of(&[node]))
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Tells the workers to stop; they drain.
    pub(crate) fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Waits until the workers have ended.
    pub(crate) fn join(mut self) {
        self.stop();
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `Basic` credentials of a user of the default setup, as a header line.
pub(crate) fn basic(user: &str) -> String {
    use base64::Engine as _;
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{user}-password"));
    format!("Authorization: Basic {token}\r\n")
}

fn work(index: usize, count: usize, socket: std::net::TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let recorder = Rc::new(Recorder::new(Sender::muted()));
    let worker = Worker { index, count, listeners: vec![socket], shared, stop, recorder };
    tokio::task::LocalSet::new().block_on(&runtime, worker::run(worker)).unwrap();
}

fn snapshot(setup: &Setup, clusters: Vec<Cluster>, address: SocketAddr) -> Snapshot {
    Snapshot {
        listeners: vec![ListenerSettings {
            address,
            proxy_protocol: setup.proxy_protocol,
            trusted_proxies: setup.trusted_proxies.clone(),
            tls: setup.tls.clone(),
            client_verifier: None,
        }],
        clusters,
        realms: Arc::new(realms(setup)),
        run_as: RunAs::of(&roles(setup)),
        roles: roles(setup),
        limits: setup.limits,
        timeouts: setup.timeouts,
    }
}

fn cluster(
    setup: &ClusterSetup,
    workers: usize,
    control: &tokio::runtime::Runtime,
    journal: &Path,
) -> ((Cluster, Arc<Gate>), Arc<Health>) {
    let settings = upstream_settings(setup);
    let health = Health::new(setup.nodes.len());
    let client = ControlClient::new(&settings, Arc::clone(&health)).unwrap();
    let credentials = settings.credentials.clone();
    let runtime = control.handle().clone();
    let audit = setup.audit.clone();
    let control = gate::Control { runtime: runtime.clone(), client, credentials, audit };
    let remembered = Some(Remembered::of(view(setup.state)));
    let gate = Gate::new(setup.name.to_owned(), gate_settings(setup, journal), control, workers, remembered);
    if setup.watch {
        let watched = Arc::clone(&gate);
        runtime.spawn(async move { gate::watch(&watched).await });
    }
    let kept = Arc::clone(&gate);
    let secret = Secret::new("secret-of-the-node".to_owned());
    let hosts = setup.hosts.clone();
    let cluster =
        Cluster::new(setup.name, hosts, setup.identity, &settings, Some(&secret), Arc::clone(&health), gate).unwrap();
    ((cluster, kept), health)
}

/// As if the cluster had been heard at the start.
fn view(state: GateState) -> View {
    let machine = match state {
        GateState::Off => {
            let heard = Event::Observed { epoch: 0, enabled: false };
            Machine::unknown().on(heard, Duration::ZERO).0
        }
        fenced_or_unknown => Machine::restored(fenced_or_unknown),
    };
    let fence = state.is_fenced().then(|| FenceFacts::seen(SystemTime::UNIX_EPOCH));
    View { machine, fence }
}

pub(crate) fn upstream_settings(setup: &ClusterSetup) -> upstream::Settings {
    let node = |address: &SocketAddr| NodeUrl {
        secure: setup.tls.is_some(),
        host: address.ip().to_string(),
        port: address.port(),
    };
    upstream::Settings {
        nodes: setup.nodes.iter().map(node).collect(),
        tls: upstream::TlsSettings { client: setup.tls.clone(), ..upstream::TlsSettings::default() },
        credentials: setup.credentials.clone(),
        health: upstream::HealthSettings {
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            path: "/".to_owned(),
        },
        connect_timeout: setup.connect_timeout,
        response_timeout: setup.response_timeout,
        idle_timeout: Duration::from_secs(60),
    }
}

fn gate_settings(setup: &ClusterSetup, journal: &Path) -> gate::Settings {
    gate::Settings {
        poll_interval: Duration::from_millis(20),
        max_staleness: setup.max_staleness,
        when_unknown: WhenUnknown::Reject,
        verify_acknowledgement: setup.verify,
        answer_grace: setup.answer_grace,
        alert_after: setup.alert_after,
        journal: journal.to_owned(),
    }
}

fn realms(setup: &Setup) -> Realms {
    let users: String = setup.users.iter().map(|(name, _)| format!("{name}:{}\n", hash(name))).collect();
    let users_roles: String = setup.users.iter().map(|(name, role)| format!("{role}:{name}\n")).collect();
    let file = realm::file::Settings {
        name: "file1".to_owned(),
        users: realm::file::Users::parse(users.as_bytes()).unwrap(),
        users_roles: realm::file::UsersRoles::parse(users_roles.as_bytes()).unwrap(),
    };
    let file = (!setup.users.is_empty()).then_some(realm::RealmSettings::File(file));
    let cluster = realm::elasticsearch::Settings { name: "cluster".to_owned() };
    let cluster = setup.elasticsearch_realm.then_some(realm::RealmSettings::Elasticsearch(cluster));
    let settings = realm::Settings {
        required: setup.required,
        realms: file.into_iter().chain(cluster).collect(),
        anonymous: None,
        cache: realm::CacheSettings { ttl: Duration::from_secs(60), max_entries: 1000 },
        failed_attempts: setup.failed_attempts,
        role_mapping: realm::role_mapping::RoleMapping::default(),
    };
    Realms::build(&settings, Arc::new(Verifier::start(1, 64).unwrap())).unwrap()
}

/// Fast: the cost is the least that bcrypt has.
pub(crate) fn hash(name: &str) -> String {
    bcrypt::hash_with_result(format!("{name}-password"), 4).unwrap().format_for_version(bcrypt::Version::TwoA)
}

fn roles(setup: &Setup) -> Roles {
    let custom = setup
        .run_as
        .iter()
        .map(|(role, name)| Role::new(RoleName::new(*role), Vec::new(), vec![(*name).to_owned()]).unwrap())
        .collect();
    Roles::with_custom(custom).unwrap()
}
