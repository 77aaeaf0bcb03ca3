//! How many connections there may be.

use super::with;
use crate::harness::Client;

#[test]
fn connections_over_the_limit_are_closed_until_others_end() {
    let (_node, gateway) = with(|setup| setup.limits.max_connections = 2);
    let mut held = [Client::connect(gateway.address), Client::connect(gateway.address)];
    for client in &mut held {
        assert_eq!(client.simple("GET /", "").status, 200);
    }
    assert!(Client::connect(gateway.address).is_closed());
    let [first, mut second] = held;
    first.close();
    assert_eq!(second.simple("GET /", "").status, 200);
    while gateway.shared().connections().total() > 1 {
        std::thread::yield_now();
    }
    assert_eq!(Client::connect(gateway.address).simple("GET /", "").status, 200);
}

#[test]
fn one_address_gets_no_more_than_its_share() {
    let (_node, gateway) = with(|setup| setup.limits.max_connections_per_ip = 1);
    let mut held = Client::connect(gateway.address);
    assert_eq!(held.simple("GET /", "").status, 200);
    assert!(Client::connect(gateway.address).is_closed());
}
