//! Upgrade mode and the perimeter, where the body decides.

use mlgate::policy::upgrade_mode::GateState;

use super::{JSON, ask, reason};
use crate::harness::{Gateway, Setup, Upstream};

const BULK: &[u8] = b"{\"index\":{\"_index\":\".ml-config\"}}\n{}\n";
const ALIASES: &[u8] = b"{\"actions\":[{\"add\":{\"index\":\".ml-config\",\"alias\":\"x\"}}]}";
const SETTINGS: &[u8] = b"{\"persistent\":{\"xpack.ml.max_open_jobs\":1}}";
const HARMLESS: &[u8] = b"{\"index\":{\"_index\":\"logs\"}}\n{}\n";

fn in_state(state: GateState) -> (Upstream, Gateway) {
    let node = Upstream::answering();
    let mut setup = Setup::of(&[node.address]);
    setup.cluster().state = state;
    let gateway = Gateway::start(setup);
    (node, gateway)
}

#[test]
fn writes_to_ml_need_manage_while_the_fence_is_up() {
    let (node, gateway) = in_state(GateState::On);
    #[rustfmt::skip] // a table
    let cases = [
        ("reader", "POST /_bulk", BULK, 403), ("ml_admin", "POST /_bulk", BULK, 429), ("elastic", "POST /_bulk", BULK, 200),
        ("reader", "POST /_aliases", ALIASES, 403), ("ml_admin", "POST /_aliases", ALIASES, 429), ("elastic", "POST /_aliases", ALIASES, 200),
        ("reader", "POST /_bulk", HARMLESS, 200), ("ml_admin", "POST /_bulk", HARMLESS, 200), ("elastic", "POST /_bulk", HARMLESS, 200),
        ("ml_admin", "POST /_bulk", b"nonsense\n", 429), ("reader", "POST /_bulk", b"nonsense\n", 400),
        ("ml_admin", "PUT /_cluster/settings", SETTINGS, 403), ("elastic", "PUT /_cluster/settings", SETTINGS, 200),
    ];
    for (user, request, body, status) in cases {
        let response = ask(&gateway, user, request, JSON, body);
        assert_eq!(response.status, status, "{user} {request}: {}", String::from_utf8_lossy(&response.body));
        assert_eq!(node.try_request().is_some(), status == 200, "{user} {request}");
    }
    let held = reason(&ask(&gateway, "ml_admin", "POST /_bulk", JSON, BULK));
    assert_eq!(held, "Cannot perform [POST /_bulk] while upgrade mode is enabled");
}

#[test]
fn an_unknown_state_holds_what_reaches_ml_only() {
    let (_node, gateway) = in_state(GateState::Unknown);
    assert_eq!(ask(&gateway, "ml_admin", "POST /_bulk", JSON, BULK).status, 503);
    assert_eq!(ask(&gateway, "ml_admin", "POST /_bulk", JSON, HARMLESS).status, 200);
    assert_eq!(ask(&gateway, "reader", "POST /_bulk", JSON, BULK).status, 403);
    assert_eq!(ask(&gateway, "elastic", "POST /_bulk", JSON, BULK).status, 200);
}

/// What may be waited for before upgrade mode is on: bulks of those who may write to ML, documents that do.
#[test]
fn what_may_reach_ml_is_counted_while_it_runs() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let node = Upstream::scripted(move |exchange| {
        while exchange.request().is_some() {
            let _ = released.lock().unwrap().recv();
            exchange.send(crate::harness::upstream::OK);
        }
    });
    let gateway = Gateway::before(node.address);
    for (user, request, body, counted) in [
        ("reader", "POST /_bulk", HARMLESS, 0),
        ("ml_admin", "POST /_bulk", HARMLESS, 1),
        ("elastic", "POST /_aliases", ALIASES, 1),
        ("elastic", "POST /_aliases", b"{\"actions\":[]}", 0),
    ] {
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask(&gateway, user, request, JSON, body));
            node.next_request();
            assert_eq!(gateway.gates[0].in_flight(), counted, "{user} {request}");
            release.send(()).unwrap();
            assert_eq!(asking.join().unwrap().status, 200);
        });
        while gateway.gates[0].in_flight() > 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn nobody_is_asked_who_they_are_before_ml_is_reached() {
    let node = Upstream::answering();
    let gateway = Gateway::before(node.address);
    let ask = |body: &[u8]| {
        let head = format!("POST /_bulk HTTP/1.1\r\nHost: x\r\n{JSON}Content-Length: {}\r\n\r\n", body.len());
        crate::harness::Client::connect(gateway.address).ask([head.as_bytes(), body].concat()).status
    };
    assert_eq!(ask(BULK), 401);
    assert_eq!(ask(b"nonsense\n"), 401);
    assert!(node.has_nothing());
    assert_eq!(ask(HARMLESS), 200);
}
