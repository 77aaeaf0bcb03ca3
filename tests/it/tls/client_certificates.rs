//! Client certificates, put to the program as it is started: who gets a handshake, who the holder is, and what ends with
//! a reload.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{DnType, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use serde_json::{Value, json};

use crate::harness::process::{authorization, passwords};
use crate::harness::{Authority, Client, Holder, Home, Process};

const WHO: &str = "GET /_security/_authenticate";

/// A gateway that asks for certificates of `authority`.
struct Running {
    home: Home,
    process: Process,
    address: SocketAddr,
    authority: Authority,
}

impl Running {
    /// `realms` as in the config; `lists`: revocation lists, of which there is one then.
    fn start(client_authentication: &str, realms: &str, list: Option<&str>, authority: Authority) -> Self {
        let home = Home::empty();
        home.write("config/clients.crt", &authority.pem());
        let lists = list.map_or("[]", |_| "[clients.crl]");
        if let Some(list) = list {
            home.write("config/clients.crl", list);
        }
        home.write(
            "config/mlgate.yml",
            &format!(
                "listeners: [ {{ address: '127.0.0.1:0', tls: {{ certificate: ../certs/server.crt, key: ../certs/server.key, \
                 client_authentication: {client_authentication}, client_certificate_authorities: [clients.crt], \
                 client_certificate_revocation_lists: {lists} }} }} ]\n\
                 workers: 1\n\
                 clusters: [ {{ name: main, embedded: {{ data: ../data }} }} ]\n\
                 authentication: {{ realms: [ {realms} ] }}\n\
                 authorization: {{ role_mapping: role_mapping.yml }}\n"
            ),
        );
        home.write(
            "config/role_mapping.yml",
            "machine_learning_admin: [ 'cn=jane doe,ou=people,o=example' ]\n\
             hosts: { roles: [ viewer ], rules: { field: { metadata.pki_san_dns: '*.example.org' } } }\n",
        );
        let mut process = home.serve();
        let address = process.listening();
        Self { home, process, address, authority }
    }

    fn connect(&self, holder: Option<&Holder>) -> Client {
        Client::connect_tls(self.address, "localhost", self.home.trusting(holder))
    }

    fn who(&self, holder: Option<&Holder>, lines: &str) -> (u16, Value) {
        let response = self.connect(holder).simple(WHO, lines);
        (response.status, response.json())
    }

    /// Whether the handshake is refused: no answer comes.
    fn turns_away(&self, holder: Option<&Holder>) -> bool {
        let mut client = self.connect(holder);
        let sent = client.try_send(format!("{WHO} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        sent.is_err() || client.try_response(false).is_none()
    }

    fn reload(&mut self) {
        self.process.signal("HUP");
        self.process.until("\"message\":\"reloaded\"");
    }

    fn elastic(&self) -> String {
        let passwords = passwords(&self.process.log);
        let (name, password) = passwords.iter().find(|(name, _)| name == "elastic").unwrap();
        authorization(name, password)
    }
}

fn jane() -> [(DnType, &'static str); 3] {
    [
        (DnType::OrganizationName, "Example"),
        (DnType::OrganizationalUnitName, "People"),
        (DnType::CommonName, "Jane Doe"),
    ]
}

const FILE: &str = "{ type: file, name: file1, users: users, users_roles: users_roles }";
const PKI: &str = "{ type: pki, name: pki1 }";

#[test]
fn the_holder_of_a_certificate_is_who_its_subject_names() {
    let running = Running::start("optional", &format!("{FILE}, {PKI}"), None, Authority::new("clients"));
    let holder = running.authority.issue(&jane(), |params| {
        params.subject_alt_names = vec![
            SanType::DnsName("web.example.org".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
        ];
    });
    let (status, who) = running.who(Some(&holder), "");
    assert_eq!((status, &who["username"]), (200, &json!("Jane Doe")), "{who}");
    assert_eq!(who["roles"], json!(["machine_learning_admin", "viewer"]));
    assert_eq!(who["authentication_realm"], json!({"name": "pki1", "type": "pki"}));
    assert_eq!(who["metadata"]["pki_dn"], json!(["CN=Jane Doe, OU=People, O=Example"]));
    assert_eq!(who["metadata"]["pki_san_ip"], json!(["192.0.2.7"]));

    // As in Elasticsearch the first realm in order that finds its credentials takes them.
    let elastic = running.elastic();
    assert_eq!(running.who(Some(&holder), &elastic).1["username"], "elastic");
    assert_eq!(running.who(Some(&holder), &authorization("elastic", "wrong")).0, 401);
    assert_eq!(running.who(Some(&holder), "Authorization: ApiKey aWQ6a2V5\r\n").0, 401);
    assert_eq!(running.who(Some(&holder), "Authorization: Bearer a.b.c\r\n").0, 401);
    assert_eq!(running.who(None, "").0, 401);
    assert_eq!(running.who(None, &elastic).0, 200);
    let nameless = running.authority.issue(&[(DnType::OrganizationName, "Example")], |_| {});
    assert_eq!(running.who(Some(&nameless), "").0, 401);
    assert_eq!(running.who(Some(&nameless), &elastic).0, 200);
    let hostile = [(DnType::CommonName, "jane"), (DnType::OrganizationalUnitName, "CN=elastic,")];
    assert_eq!(running.who(Some(&running.authority.issue(&hostile, |_| {})), "").0, 401);
}

#[test]
fn a_handshake_takes_certificates_of_its_authorities_for_clients_in_time() {
    let authority = Authority::new("clients");
    let between = authority.below("between");
    let revoked = authority.client("revoked");
    let lists = format!("{}{}", authority.revoked(&[&revoked], 4000), between.revoked(&[], 4000));
    let running = Running::start("required", PKI, Some(&lists), authority);
    let ours = &running.authority;
    assert_eq!(running.who(Some(&ours.client("jane")), "").0, 200);
    let mut below = between.client("below");
    assert!(running.turns_away(Some(&below)), "without the certificate between there is no chain");
    below.chain.push(between.der());
    assert_eq!(running.who(Some(&below), "").1["username"], "below");

    assert!(running.turns_away(None));
    assert!(running.turns_away(Some(&revoked)));
    assert!(running.turns_away(Some(&Authority::new("clients").client("jane"))), "another authority of that name");
    let server = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    assert!(running.turns_away(Some(&ours.issue(&jane(), server))));
    assert!(running.turns_away(Some(&ours.issue(&jane(), |params| params.not_after = date_time_ymd(2001, 1, 1)))));
    assert!(running.turns_away(Some(&ours.issue(&jane(), |params| params.not_before = date_time_ymd(4000, 1, 1)))));
    let mut stolen = ours.client("jane");
    stolen.key = ours.client("joe").key;
    assert!(running.turns_away(Some(&stolen)), "the key of somebody else");
    // Nobody says whether it is revoked.
    let mut unlisted = between.below("unlisted").client("jane");
    unlisted.chain.push(between.der());
    assert!(running.turns_away(Some(&unlisted)));
}

#[test]
fn a_reload_takes_a_certificate_back_from_connections_that_are_open() {
    let authority = Authority::new("clients");
    let (jane, joe) = (authority.client("jane"), authority.client("joe"));
    let mut running =
        Running::start("optional", &format!("{FILE}, {PKI}"), Some(&authority.revoked(&[], 4000)), authority);
    let elastic = running.elastic();
    let (mut of_jane, mut of_joe, mut idle) =
        (running.connect(Some(&jane)), running.connect(Some(&joe)), running.connect(Some(&joe)));
    for client in [&mut of_jane, &mut of_joe, &mut idle] {
        assert_eq!(client.simple(WHO, "").status, 200);
    }
    running.home.write("config/clients.crl", &running.authority.revoked(&[&joe], 4000));
    running.reload();
    assert_eq!(of_jane.simple(WHO, "").json()["username"], "jane");
    let refused = of_joe.simple(WHO, "");
    assert_eq!((refused.status, refused.value("connection")), (401, Some("close")));
    assert!(of_joe.is_closed());
    assert_eq!(idle.simple(WHO, &elastic).status, 401, "a new handshake would not take it, whatever else is shown");
    assert!(running.turns_away(Some(&joe)));

    // A list that has run out says nothing of anybody.
    running.home.write("config/clients.crl", &running.authority.revoked(&[], 2001));
    running.reload();
    assert_eq!(of_jane.simple(WHO, "").status, 401);
    assert!(running.turns_away(Some(&jane)));

    running.home.write("config/clients.crl", "no list");
    running.process.signal("HUP");
    assert!(running.process.until("not reloaded").contains("no revocation list in it"));
    assert!(running.turns_away(Some(&jane)), "the last good settings stay");

    let without = Authority::new("others");
    running.home.write("config/clients.crt", &without.pem());
    running.home.write("config/clients.crl", &without.revoked(&[], 4000));
    running.reload();
    assert!(running.turns_away(Some(&jane)));
    assert_eq!(running.who(Some(&without.client("other")), "").1["username"], "other");
}

#[test]
fn a_realm_may_trust_fewer_authorities_than_the_listener() {
    let authority = Authority::new("clients");
    let other = Authority::new("others");
    let realm = "{ type: pki, name: pki1, username_rdn_name: OU, certificate_authorities: [others.crt] }";
    let realms = format!("{realm}, {FILE}");
    let mut running = Running::start("optional", &format!("{PKI}, {FILE}"), None, authority);
    let both = format!("{}{}", running.authority.pem(), other.pem());
    running.home.write("config/others.crt", &other.pem());
    running.home.write("config/clients.crt", &both);
    let config = std::fs::read_to_string(running.home.file("config/mlgate.yml")).unwrap();
    running.home.write("config/mlgate.yml", &config.replace(&format!("{PKI}, {FILE}"), &realms));
    running.reload();
    assert_eq!(running.who(Some(&other.issue(&jane(), |_| {})), "").1["username"], "People");
    let (theirs, elastic) = (running.authority.issue(&jane(), |_| {}), running.elastic());
    assert_eq!(running.who(Some(&theirs), "").0, 401);
    // The certificate comes first, and is refused; the password is not asked for.
    assert_eq!(running.who(Some(&theirs), &elastic).0, 401);
    assert_eq!(running.who(Some(&other.issue(&jane(), |_| {})), &elastic).1["username"], "People");
}

#[test]
fn no_session_is_resumed_where_certificates_decide() {
    let running = Running::start("optional", PKI, None, Authority::new("clients"));
    let holder = running.authority.client("jane");
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        // Its own memory of sessions is on by default.
        let config = Arc::new(running.home.trusting_by(Some(&holder), &[version]));
        for attempt in 0..2 {
            assert_eq!(handshake(running.address, &config), (HandshakeKind::Full, 0), "{version:?} {attempt}");
        }
    }
}

/// How a handshake and a request went, and how many tickets came.
fn handshake(address: SocketAddr, config: &Arc<ClientConfig>) -> (HandshakeKind, u32) {
    use std::io::{Read as _, Write as _};
    let name = ServerName::try_from("localhost").unwrap();
    let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut tcp);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 4]).unwrap(), 4);
    (session.handshake_kind().unwrap(), session.tls13_tickets_received())
}
