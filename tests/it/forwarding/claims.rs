//! Everything by which a request can say who somebody is, in every mode and by both protocols: what the node gets of it,
//! byte for byte, is `tests/golden/identity.txt`.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use mlgate::gateway::Identity;
use mlgate::secret::Secret;
use mlgate::upstream::Credentials;

use crate::harness::gateway::basic;
use crate::harness::golden::compare;
use crate::harness::http2::{empty, frames, get, whole, with_http2};
use crate::harness::{Certificates, Client, Gateway, Setup, Upstream};

const MODES: [(&str, Identity); 5] = [
    ("passthrough", Identity::Passthrough),
    ("service", Identity::Service),
    ("run_as", Identity::RunAs),
    ("none", Identity::None),
    ("embedded node", Identity::Vouched),
];

const CLAIMS: &[(&str, &str)] = &[
    ("ES-Security-RunAs-User", "somebody"),
    ("es-secondary-AUTHORIZATION", "ApiKey c2Vjb25k"),
    ("es-secondary-authorization", "ApiKey dGhpcmQ="),
    ("ES-Client-Authentication", "SharedSecret client"),
    ("ES-Secondary-X-Client-Authentication", "second client"),
    ("es-something-new", "1"),
    ("X-Client-Authentication", "other client"),
    ("X-Elastic-Product-Origin", "kibana"),
    ("X-Elastic-Internal-Origin", "kibana"),
    ("X-Elastic-App-Auth", "app"),
    ("X-Elastic-Client-Meta", "es=9.0"),
    ("X-Elastic-Product", "Elasticsearch"),
    ("_xpack_security_authentication", "forged"),
    ("_cross_cluster_access_subject_info", "forged"),
    ("es_security_runas_user", "underscored"),
    ("ES-Security_RunAs-User", "underscored"),
    ("x_forwarded_for", "6.6.6.6"),
    ("x_mlgate_node_caller", "forged"),
    ("X-Mlgate-Node-Secret", "forged"),
    ("X-Mlgate-Node-Caller", "forged"),
    ("x-mlgate-NODE-secret", "forged again"),
    ("X-Forwarded-For", "1.2.3.4"),
    ("x-forwarded-for", "5.6.7.8"),
    ("X-Forwarded-Proto", "gopher"),
    ("X-Forwarded-Host", "forged.example"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-User", "forged"),
    ("X-Forwarded-Client-Cert", "Subject=\"CN=forged\""),
    ("Forwarded", "for=1.2.3.4"),
    ("X-Real-IP", "1.2.3.4"),
    ("True-Client-IP", "1.2.3.4"),
    ("X-SSL-Client-Verify", "SUCCESS"),
    ("X-SSL-Client-S-DN", "CN=forged"),
    ("SSL-Client-Cert", "forged"),
    ("Client-Cert", ":Zm9yZ2Vk:"),
    ("X-Client-Cert", "forged"),
    ("X-Client-DN", "CN=forged"),
    ("X-Client-IP", "1.2.3.4"),
    ("Remote-User", "forged"),
    ("X-Remote-User", "forged"),
    ("X-Proxy-User", "forged"),
    ("X-Auth-Request-User", "forged"),
    ("X-Amzn-Oidc-Identity", "forged"),
    ("Proxy-Authorization", "Basic cHJveHk6eA=="),
    ("Cookie", "sid=1"),
    ("Cookie", "sid=2"),
    ("Via", "1.0 before"),
    ("X-Opaque-Id", "job-7"),
    ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("X-Kept", "yes"),
];

const TRAILERS: &[(&str, &str)] = &[
    ("Authorization", "Basic Zm9yZ2VkOng="),
    ("es-security-runas-user", "forged"),
    ("es_security_runas_user", "forged"),
    ("X-Mlgate-Node-Caller", "forged"),
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-SSL-Client-S-DN", "CN=forged"),
    ("Cookie", "sid=3"),
    ("Via", "1.0 forged"),
    ("X-Sum", "9"),
];

struct World {
    node: Upstream,
    gateway: Gateway,
    certificates: Certificates,
}

#[test]
fn what_the_node_gets_of_every_claim() {
    let mut golden = String::from(
        "# What a node gets of a request that claims every identity there is. Generated; see tests/it/forwarding/claims.rs.\n",
    );
    for (mode, identity) in MODES {
        for (place, trusted) in [("a stranger", false), ("a trusted proxy", true)] {
            let world = World::of(identity, trusted);
            world.http1(&basic("deputy"));
            write(&mut golden, &format!("{mode}, HTTP/1.1 from {place}"), &world.got());
            world.http2(&basic("deputy"));
            write(&mut golden, &format!("{mode}, HTTP/2 from {place}"), &world.got());
        }
    }
    compare("tests/golden/identity.txt", &golden);
}

fn write(golden: &mut String, title: &str, got: &str) {
    writeln!(golden, "\n## {title}\n\n{got}").unwrap();
}

impl World {
    fn of(identity: Identity, trusted: bool) -> Self {
        let node = Upstream::answering();
        let certificates = Certificates::for_names(&["localhost"]);
        let mut setup = Setup::of(&[node.address]);
        setup.tls = Some(certificates.server(&["h2", "http/1.1"]));
        setup.users.push(("deputy", "deputies"));
        setup.run_as.push(("deputies", "somebody"));
        if trusted {
            setup.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        }
        setup.cluster().identity = identity;
        setup.cluster().credentials = Some(Credentials::ApiKey(Secret::new("b3Vycw==".to_owned())));
        Self { node, gateway: Gateway::start(setup), certificates }
    }

    fn client(&self) -> Client {
        Client::connect_tls(self.gateway.address, "localhost", self.certificates.client(&["http/1.1"]))
    }

    fn http1(&self, credentials: &str) {
        let lines = |claims: &[(&str, &str)]| -> String {
            claims.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
        };
        let request = format!(
            "POST /idx/_doc?q=1 HTTP/1.1\r\nHost: localhost\r\n{credentials}{}TE: trailers\r\nTrailer: {}\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n{}\r\n",
            lines(CLAIMS),
            announced(),
            lines(TRAILERS)
        );
        assert_eq!(self.client().ask(request).status, 200);
    }

    fn http2(&self, credentials: &str) {
        let trailers = Frame::trailers(headers(TRAILERS));
        let body = frames(vec![Frame::data(Bytes::from("{}")), trailers]);
        let mut request = Request::post("https://localhost/idx/_doc?q=1").body(body).unwrap();
        let (name, value) = credentials.trim_end().split_once(": ").unwrap();
        *request.headers_mut() = headers(&[(name, value)]);
        request.headers_mut().extend(headers(CLAIMS));
        request.headers_mut().extend(headers(&[("te", "trailers"), ("trailer", &announced())]));
        with_http2(&self.gateway, &self.certificates, |mut sender, _| async move {
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200, "{:?}", whole(response.into_body()).await);
        });
    }

    /// With the node's own address taken out.
    fn got(&self) -> String {
        let request = self.node.next_request();
        assert!(self.node.has_nothing());
        let text = request.head + std::str::from_utf8(&request.body).unwrap();
        let text = text.replace(&self.node.address.to_string(), "NODE").replace("\r\n", "\n");
        assert!(text.bytes().all(|byte| byte == b'\n' || byte == b' ' || byte.is_ascii_graphic()), "{text:?}");
        text.trim_end().to_owned()
    }
}

fn announced() -> String {
    TRAILERS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

/// Where one value decides, two are refused, whatever the case of their names.
const TWICE: [(&str, &str, u16); 3] = [
    ("Authorization", "Basic ZGVwdXR5OmRlcHV0eS1wYXNzd29yZA==", 400),
    ("ES-Client-Authentication", "SharedSecret s", 400),
    ("es-security-runas-user", "somebody", 403),
];

#[test]
fn two_of_what_decides_are_refused() {
    for (mode, identity) in MODES {
        let world = World::of(identity, false);
        for (name, value, status) in TWICE {
            // Outside passthrough the name to run as decides nothing, and none goes on.
            let status = if status == 403 && identity != Identity::Passthrough { 200 } else { status };
            let credentials = if name == "Authorization" { String::new() } else { basic("deputy") };
            let upper = name.to_ascii_uppercase();
            let response = world
                .client()
                .simple("GET /idx/_search", &format!("{credentials}{name}: {value}\r\n{upper}: {value}\r\n"));
            assert_eq!(response.status, status, "{mode}: {name}: {}", response.head);
            with_http2(&world.gateway, &world.certificates, |mut sender, _| async move {
                let mut request = get("/idx/_search");
                if let Some((name, value)) = credentials.trim_end().split_once(": ") {
                    request.headers_mut().extend(headers(&[(name, value)]));
                }
                request.headers_mut().extend(headers(&[(name, value), (name, value)]));
                assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{mode}: {name}");
            });
            while status == 200
                && let Some(request) = world.node.try_request()
            {
                assert_ne!(request.values("es-security-runas-user"), ["somebody"], "{mode}");
            }
            assert!(world.node.has_nothing(), "{mode}: {name}");
        }
    }
}

#[test]
fn credentials_in_a_query_end_at_the_gateway() {
    let queries = ["access_token=x", "q=1&Access%5FToken=x", "a;api_key=x", "es-security-runas-user=elastic"];
    for (mode, identity) in MODES {
        let world = World::of(identity, false);
        let status = if identity == Identity::Passthrough { 200 } else { 400 };
        let mut client = world.client();
        for query in queries {
            let target = format!("/idx/_search?{query}");
            let response = client.simple(&format!("GET {target}"), &basic("deputy"));
            assert_eq!(response.status, status, "{mode}: {query}");
            if status == 400 {
                let reason = response.json()["error"]["reason"].to_string();
                assert!(reason.starts_with("\"request [/idx/_search] contains unrecognized parameter: ["), "{reason}");
                assert!(world.node.has_nothing());
            } else {
                assert_eq!(world.node.next_request().line(), format!("GET {target} HTTP/1.1"));
            }
        }
        assert_eq!(client.simple("GET /idx/_search?q=access_token", &basic("deputy")).status, 200, "{mode}");
    }
}

#[test]
fn credentials_in_a_target_are_refused() {
    for (mode, identity) in MODES {
        let world = World::of(identity, false);
        for host in ["localhost", "deputy:x@localhost"] {
            let request = format!("GET http://deputy:x@localhost/idx/_search HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(world.client().ask(request).status, 400, "{mode}: {host}");
        }
        with_http2(&world.gateway, &world.certificates, |mut sender, _| async move {
            let request = Request::get("https://deputy:x@localhost/idx/_search").body(empty().boxed()).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), 400, "{mode}");
        });
        assert!(world.node.has_nothing());
    }
}
