//! `clusters`.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Fault, Found, KeyPath, Review};
use crate::config::document::{
    ClusterDocument, CredentialsDocument, EmbeddedDocument, HealthDocument, IdentityDocument,
};
use crate::config::{Backend, ClusterSettings, EmbeddedSettings};
use crate::gateway::{HostPattern, Identity};
use crate::secret::Secret;
use crate::upstream::{Credentials, HealthSettings, NodeUrl, TlsSettings};
use crate::{node, upstream};

const NAME_CHARACTERS_MAX: usize = 64;

impl Review<'_> {
    pub(super) fn clusters(&mut self, documents: &[ClusterDocument]) -> Vec<ClusterSettings> {
        let key = KeyPath::root().key("clusters");
        if documents.is_empty() {
            self.fault(&key, Fault::Missing { expected: "at least one cluster".to_owned() });
        }
        let indexed = || documents.iter().enumerate();
        self.distinct(indexed().map(|(index, cluster)| (key.index(index).key("name"), cluster.name.clone())));
        let data = indexed().filter(|(_, cluster)| cluster.is_embedded()).map(|(index, cluster)| {
            let data = cluster.embedded.clone().unwrap_or_default().data;
            (key.index(index).key("embedded").key("data"), data)
        });
        self.distinct(data);
        self.distinct(indexed().flat_map(|(index, cluster)| {
            let key = key.index(index).key("hosts");
            let hosts = cluster.hosts.iter().enumerate();
            hosts.map(move |(index, host)| (key.index(index), host.to_ascii_lowercase())).collect::<Vec<_>>()
        }));
        indexed().filter_map(|(index, cluster)| self.cluster(&key.index(index), cluster)).collect()
    }

    /// A fault for every name that has been there before.
    pub(super) fn distinct(&mut self, names: impl Iterator<Item = (KeyPath, String)>) {
        let mut seen: Vec<(KeyPath, String)> = Vec::new();
        for (key, name) in names {
            match seen.iter().find(|(_, earlier)| *earlier == name) {
                Some((first, _)) => self.fault(&key, Fault::Duplicate { name, first: first.clone() }),
                None => seen.push((key, name)),
            }
        }
    }

    fn cluster(&mut self, key: &KeyPath, document: &ClusterDocument) -> Option<ClusterSettings> {
        self.cluster_name(&key.key("name"), &document.name);
        let hosts_key = key.key("hosts");
        if document.hosts.is_empty() {
            self.fault(&hosts_key, Fault::Missing { expected: "at least one host, such as [*]".to_owned() });
        }
        let hosts = document.hosts.iter().enumerate();
        let hosts: Vec<HostPattern> =
            hosts.filter_map(|(index, host)| self.host_pattern(&hosts_key.index(index), host)).collect();
        let backend = if document.is_embedded() {
            Some(self.embedded(key, document))
        } else {
            self.nodes(key, document).map(|nodes| Backend::Nodes(Box::new(nodes)))
        };
        let identity = match (document.is_embedded(), document.identity) {
            (true, _) => Identity::Vouched,
            (false, None | Some(IdentityDocument::Passthrough)) => Identity::Passthrough,
            (false, Some(IdentityDocument::Service)) => Identity::Service,
            (false, Some(IdentityDocument::RunAs)) => Identity::RunAs,
            (false, Some(IdentityDocument::None)) => Identity::None,
        };
        Some(ClusterSettings { name: document.name.clone(), hosts, identity, backend: backend? })
    }

    /// It becomes the name of a file.
    fn cluster_name(&mut self, key: &KeyPath, name: &str) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let starts_well = name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        if !starts_well || name.len() > NAME_CHARACTERS_MAX || !name.bytes().all(allowed) {
            self.unexpected(key, name, "a name of up to 64 letters, digits, [-], [_] and [.], letter or digit first");
        }
    }

    fn embedded(&mut self, key: &KeyPath, document: &ClusterDocument) -> Backend {
        let given = [
            ("nodes", document.nodes.is_some()),
            ("identity", document.identity.is_some()),
            ("credentials", document.credentials.is_some()),
            ("tls", document.tls.is_some()),
            ("health", document.health.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let fault = if document.embedded.is_some() {
                Fault::Conflict { other: "embedded".to_owned() }
            } else {
                Fault::Needs { other: "nodes".to_owned() }
            };
            self.fault(&key.key(name), fault);
        }
        let EmbeddedDocument { data } = document.embedded.clone().unwrap_or_default();
        let roles = self.file.document().authorization.roles.as_deref().map(|roles| self.file.resolve(roles));
        let node = node::Settings {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: self.file.resolve(&data),
            cluster_name: format!("{}-not-for-production", document.name),
            security: node::Security::Gateway { secret: Secret::default(), roles },
        };
        let health = self.health(&key.key("health"), &HealthDocument::default());
        let upstream = self.upstream(Vec::new(), TlsSettings::default(), None, health);
        Backend::Embedded(Box::new(EmbeddedSettings { node, upstream }))
    }

    fn nodes(&mut self, key: &KeyPath, document: &ClusterDocument) -> Option<upstream::Settings> {
        let nodes_key = key.key("nodes");
        let written = document.nodes.as_deref().unwrap_or_default();
        if written.is_empty() {
            self.fault(
                &nodes_key,
                Fault::Missing { expected: "at least one node, such as [https://10.0.0.1:9200]".to_owned() },
            );
        }
        let nodes: Vec<NodeUrl> = written
            .iter()
            .enumerate()
            .filter_map(|(index, node)| self.node_url(&nodes_key.index(index), node))
            .collect();
        self.distinct(
            written.iter().enumerate().map(|(index, node)| (nodes_key.index(index), node.to_ascii_lowercase())),
        );
        let secure = nodes.iter().any(|node| node.secure);
        let tls = self.upstream_tls(&key.key("tls"), &document.tls.clone().unwrap_or_default(), secure);
        let credentials =
            document.credentials.as_ref().and_then(|given| self.credentials(&key.key("credentials"), given));
        self.identity_rules(key, document, credentials.is_some(), &nodes);
        let health = self.health(&key.key("health"), &document.health.clone().unwrap_or_default());
        Some(self.upstream(nodes, tls?, credentials, health))
    }

    fn upstream(
        &self,
        nodes: Vec<NodeUrl>,
        tls: TlsSettings,
        credentials: Option<Credentials>,
        health: HealthSettings,
    ) -> upstream::Settings {
        let timeouts = self.file.document().timeouts;
        upstream::Settings {
            nodes,
            tls,
            credentials,
            health,
            connect_timeout: timeouts.connect.0,
            response_timeout: timeouts.response.0,
            idle_timeout: timeouts.idle.0,
        }
    }

    fn identity_rules(&mut self, key: &KeyPath, document: &ClusterDocument, credentials: bool, nodes: &[NodeUrl]) {
        let needed = matches!(document.identity, Some(IdentityDocument::Service | IdentityDocument::RunAs));
        if needed && document.credentials.is_none() {
            self.fault(&key.key("identity"), Fault::Needs { other: "credentials".to_owned() });
        }
        if !credentials && document.credentials.is_none() && document.identity != Some(IdentityDocument::None) {
            self.note(
                key,
                "no credentials: if the cluster wants some, its upgrade mode and health stay unknown, and what the gate guards is refused",
            );
        }
        if credentials && nodes.iter().any(|node| !node.secure && !is_loopback(&node.host)) {
            self.note(&key.key("nodes"), "credentials go to a node over plain HTTP");
        }
    }

    fn credentials(&mut self, key: &KeyPath, document: &CredentialsDocument) -> Option<Credentials> {
        let api_key = self.secret(key, "api_key", document.api_key.as_ref(), document.api_key_file.as_deref());
        let password = self.secret(key, "password", document.password.as_ref(), document.password_file.as_deref());
        let api_key_given = document.api_key.is_some() || document.api_key_file.is_some();
        let password_given = document.password.is_some() || document.password_file.is_some();
        match (api_key_given, document.username.as_ref(), password_given) {
            (true, None, false) => {
                let credentials = Credentials::ApiKey(api_key?);
                if credentials.header().is_none() {
                    let name = if document.api_key.is_some() { "api_key" } else { "api_key_file" };
                    let expected = "the base64 form of an API key, in one line".to_owned();
                    self.fault(&key.key(name), Fault::Unexpected { found: Found::Secret, expected });
                }
                Some(credentials)
            }
            (false, Some(username), true) => {
                if username.contains(':') || username.is_empty() {
                    self.unexpected(&key.key("username"), username, "a user name without [:]");
                }
                Some(Credentials::Basic { username: username.clone(), password: password? })
            }
            (true, _, _) => {
                self.fault(key, Fault::Conflict { other: "api_key".to_owned() });
                None
            }
            (false, Some(_), false) => {
                self.fault(&key.key("username"), Fault::Needs { other: "password".to_owned() });
                None
            }
            (false, None, true) => {
                self.fault(key, Fault::Needs { other: "username".to_owned() });
                None
            }
            (false, None, false) => {
                self.fault(key, Fault::Missing { expected: "[api_key], or [username] and [password]".to_owned() });
                None
            }
        }
    }

    fn health(&mut self, key: &KeyPath, document: &HealthDocument) -> HealthSettings {
        self.positive(&key.key("interval"), document.interval);
        self.positive(&key.key("timeout"), document.timeout);
        let valid = document.path.starts_with('/') && document.path.parse::<http::uri::PathAndQuery>().is_ok();
        if !valid {
            self.unexpected(&key.key("path"), &document.path, "a path that starts with [/]");
        }
        HealthSettings { interval: document.interval.0, timeout: document.timeout.0, path: document.path.clone() }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
