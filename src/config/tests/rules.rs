//! Rules between keys, of realms and of listeners.

use std::path::Path;

use super::{ConfigFile, check, problems};

#[test]
fn rules_between_keys_are_checked() {
    check(&[
        ("listeners: []", "1:1: listeners: is missing; expected at least one listener"),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nlimits: {inspect_buffer: 1kb}",
            "2:26: limits.inspect_buffer: found [1kb], expected a size from [4kb] to [64mb]",
        ),
        (
            "listeners: [{address: localhost:9243}]",
            "1:23: listeners[0].address: found [localhost:9243], expected an IP address and a port, such as [127.0.0.1:9243] or [[::1]:9243]",
        ),
        (
            "listeners: [{address: '0.0.0.0:9243'}]",
            "1:23: listeners[0].address: plain HTTP on [0.0.0.0:9243], which is not loopback: give [tls], or [allow_plaintext: true]",
        ),
        (
            "listeners: [{address: '127.0.0.1:1'}, {address: '127.0.0.1:1'}]",
            "1:49: listeners[1].address: [127.0.0.1:1] is the same as in [listeners[0].address]",
        ),
        (
            "listeners: [{address: '127.0.0.1:1'}]\nadmin: {address: '127.0.0.1:1'}",
            "2:18: admin.address: [127.0.0.1:1] is the same as in [listeners[0].address]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0', trusted_proxies: [10.0.0.0/33]}]",
            "1:56: listeners[0].trusted_proxies[0]: found [10.0.0.0/33], expected a network or an address, such as [10.0.0.0/8] or [10.0.0.1]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: []",
            "2:1: clusters: is missing; expected at least one cluster",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: ../x}]",
            "2:19: clusters[0].name: found [../x], expected a name of up to 64 letters, digits, [-], [_] and [.], letter or digit first",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], hosts: ['x', '*.a.org']}, {name: b, nodes: ['http://h:1'], hosts: ['*.A.org']}]",
            "2:112: clusters[1].hosts[0]: [*.a.org] is the same as in [clusters[0].hosts[1]]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], hosts: ['x']}, {name: a, nodes: ['http://h:1'], hosts: ['y']}]",
            "2:67: clusters[1].name: [a] is the same as in [clusters[0].name]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, hosts: ['x']}, {name: b, hosts: ['y']}]",
            "2:37: clusters[1].embedded.data: [data] is the same as in [clusters[0].embedded.data]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, embedded: {}, identity: service}]",
            "2:46: clusters[0].identity: cannot be given together with [embedded]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, identity: service}]",
            "2:32: clusters[0].identity: needs [nodes] as well",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, embedded: {}, nodes: ['http://h:1']}]",
            "2:36: clusters[0].nodes: cannot be given together with [embedded]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: []}]",
            "2:22: clusters[0].nodes: is missing; expected at least one node, such as [https://10.0.0.1:9200]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: [h:9200]}]",
            "2:30: clusters[0].nodes[0]: found [h:9200], expected scheme, host and port, such as [https://10.0.0.1:9200]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], identity: run_as}]",
            "2:55: clusters[0].identity: needs [credentials] as well",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {}}]",
            "2:45: clusters[0].credentials: is missing; expected [api_key], or [username] and [password]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {username: u}}]",
            "2:69: clusters[0].credentials.username: needs [password] as well",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {password: hunter2}}]",
            "2:45: clusters[0].credentials: needs [username] as well",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {api_key: \"a\\nb\"}}]",
            "2:68: clusters[0].credentials.api_key: found a secret, expected the base64 form of an API key, in one line",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {api_key: ''}}]",
            "2:68: clusters[0].credentials.api_key: the secret is empty",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], credentials: {api_key: k, api_key_file: f}}]",
            "2:85: clusters[0].credentials.api_key_file: cannot be given together with [api_key]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], health: {path: x}}]",
            "2:60: clusters[0].health.path: found [x], expected a path that starts with [/]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: a, nodes: ['http://h:1'], tls: {ca_trusted_fingerprint: abc}}]",
            "2:75: clusters[0].tls.ca_trusted_fingerprint: found [abc], expected the SHA-256 of a certificate: 64 hexadecimal digits, with or without [:]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: file, name: f}, {type: file, name: f}]}",
            "2:69: authentication.realms[1].name: [f] is the same as in [authentication.realms[0].name]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nupgrade_mode: {poll_interval: 5s}",
            "2:1: upgrade_mode.max_staleness: found [3s], expected more than [poll_interval] (5s)",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nlimits: {max_header_bytes: 1kb}",
            "2:28: limits.max_header_bytes: found [1kb], expected a size from [8kb] to [16mb]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\ntimeouts: {idle: 0}",
            "2:18: timeouts.idle: found [0], expected a duration above [0]",
        ),
    ]);
}

#[test]
fn a_key_set_is_a_file_or_an_https_url() {
    let realm = |rest: &str| {
        format!(
            "listeners: [{{address: '127.0.0.1:0'}}]\nauthentication: {{realms: [{{type: jwt, name: j, allowed_issuer: i, \
             allowed_audiences: [a], claims: {{principal: sub}}, {rest}}}]}}"
        )
    };
    assert_eq!(problems(&realm("pkc_jwkset_path: 'https://127.0.0.1/jwks.json'")), [""; 0]);
    let told = |rest: &str| problems(&realm(rest)).join("; ").split_once("realms[0].").unwrap().1.to_owned();
    for (rest, problem) in [
        ("pkc_jwkset_path: 'http://i/jwks.json'", "pkc_jwkset_path: a key set URL must be https"),
        ("pkc_jwkset_path: 'https://u:p@i/'", "pkc_jwkset_path: a key set URL has no user name or password"),
        (
            "pkc_jwkset_path: 'https://i/', pkc_jwkset_reload: {url_interval_min: 2h}",
            "pkc_jwkset_reload.url_interval_max: found [1h], expected at least [url_interval_min]",
        ),
        (
            "pkc_jwkset_path: 'https://i/', pkc_jwkset_reload: {max_staleness: 1m}",
            "pkc_jwkset_reload.max_staleness: found [1m], expected at least [url_interval_max]",
        ),
        (
            "pkc_jwkset_path: 'https://i/', ssl: {verification_mode: none}",
            "ssl.verification_mode: found [none], expected one of [full, certificate]",
        ),
        (
            "pkc_jwkset_path: 'https://i/', ssl: {certificate_authorities: [ca.crt]}",
            "ssl.certificate_authorities[0]: [/ca.crt]: cannot be read: No such file or directory (os error 2)",
        ),
        (
            "pkc_jwkset_path: 'https://i/', http: {socket_timeout: 0}",
            "http.socket_timeout: found [0], expected a duration above [0]",
        ),
        (
            "pkc_jwkset_path: 'https://i/', allowed_signature_algorithms: [HS256]",
            "allowed_signature_algorithms: no key for [HS256]: it needs hmac_key_file or hmac_jwkset_file",
        ),
        ("ssl: {verification_mode: full}", "ssl: needs [pkc_jwkset_path: https://...]"),
    ] {
        assert!(told(rest).contains(problem), "{}, expected {problem}", told(rest));
    }
}

#[test]
fn client_certificates_that_decide_nothing_are_refused() {
    #[rustfmt::skip] // a table: what stands beside the certificate, and what is said of it
    let cases = [
        ("client_authentication: required", "1:91: listeners[0].tls.client_authentication: needs [client_certificate_authorities] as well"),
        ("client_certificate_authorities: [a]", "1:68: listeners[0].tls.client_certificate_authorities: needs [client_authentication: optional] as well"),
        ("client_certificate_revocation_lists: [a]", "1:68: listeners[0].tls.client_certificate_revocation_lists: needs [client_authentication: optional] as well"),
    ];
    for (written, expected) in cases {
        let text = format!("listeners: [{{address: '127.0.0.1:0', tls: {{certificate: c, key: k, {written}}}}}]");
        assert!(problems(&text).iter().any(|problem| problem == expected), "{:?}", problems(&text));
    }
    check(&[
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: pki, name: p, username_pattern: 'CN=.*'}]}",
            "2:66: authentication.realms[0].username_pattern: [CN=.*] needs a group: what is the user name",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: pki, name: p, username_rdn_oid: cn}]}",
            "2:66: authentication.realms[0].username_rdn_oid: [cn] is not an object identifier, such as [2.5.4.3]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: pki, name: p, username_rdn_oid: 2.5.4.3, username_rdn_name: CN}]}",
            "2:66: authentication.realms[0].username_rdn_oid: cannot be given together with [username_rdn_name]",
        ),
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: pki, name: p, delegation: {enabled: true}}]}",
            "2:70: authentication.realms[0].delegation.enabled: found [true], expected [false]: certificates come by TLS only",
        ),
    ]);
}

#[test]
fn an_elasticsearch_realm_needs_clusters_that_know_their_users() {
    let nodes = "listeners: [{address: '127.0.0.1:0'}]\nclusters: [{name: m, nodes: ['http://127.0.0.1:9200']}]\n";
    check(&[
        (
            "listeners: [{address: '127.0.0.1:0'}]\nauthentication: {realms: [{type: elasticsearch, name: c}]}",
            "2:34: authentication.realms[0].type: found [elasticsearch], expected [file], [jwt] or [pki], or [nodes] for every cluster: the embedded node has no users of its own",
        ),
        (
            &format!(
                "{nodes}authentication: {{realms: [{{type: elasticsearch, name: c}}, {{type: elasticsearch, name: d}}]}}"
            ),
            "3:66: authentication.realms[1].type: found [elasticsearch], expected at most one elasticsearch realm: a second would ask the same cluster",
        ),
    ]);
    let text = format!("{nodes}authentication: {{realms: [{{type: elasticsearch, name: c}}]}}");
    let settings = ConfigFile::from_text(&text, Path::new("c"), &|_| None).unwrap().settings().unwrap();
    assert!(matches!(settings.authentication.realms.as_slice(), [crate::realm::RealmSettings::Elasticsearch(_)]));
}
