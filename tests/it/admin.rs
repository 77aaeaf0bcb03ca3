//! The status API of the admin address: who sees what.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::process::{authorization, passwords};
use crate::harness::{Client, Home, Response};

struct Running {
    home: Home,
    address: SocketAddr,
    admin: SocketAddr,
    passwords: Vec<(String, String)>,
    _process: crate::harness::Process,
}

impl Running {
    fn start() -> Self {
        let home = Home::new();
        let config = std::fs::read_to_string(home.file("config/mlgate.yml")).unwrap();
        home.write("config/mlgate.yml", &format!("{config}admin: {{ address: '127.0.0.1:0' }}\n"));
        let mut process = home.serve();
        let (address, admin) = (process.listening(), process.listening());
        let passwords = passwords(&process.log);
        Self { home, address, admin, passwords, _process: process }
    }

    fn credentials(&self, user: &str) -> String {
        let password = self.passwords.iter().find(|(name, _)| name == user);
        password.map_or_else(String::new, |(name, password)| authorization(name, password))
    }

    fn status(&self, user: &str) -> Response {
        Client::connect(self.admin).simple("GET /api/v1/status", &self.credentials(user))
    }

    fn switch(&self, request: &str, lines: &str) {
        let lines = format!("{lines}{}", self.credentials("ml_admin"));
        let response = self.home.client(self.address).simple(request, &lines);
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    }
}

#[test]
fn the_status_is_for_those_who_may_see_ml() {
    let running = Running::start();
    let nobody = running.status("");
    assert_eq!((nobody.status, nobody.values("www-authenticate").len()), (401, 1), "{}", nobody.head);
    let wrong = format!("Authorization: Basic {}\r\n", "ZWxhc3RpYzp3cm9uZw==");
    assert_eq!(Client::connect(running.admin).simple("GET /api/v1/status", &wrong).status, 401);
    let reader = running.status("reader");
    assert_eq!(reader.status, 403);
    let reason = reader.json()["error"]["reason"].to_string();
    assert!(reason.contains("[cluster:monitor/xpack/ml/info/get] is unauthorized for user [reader]"), "{reason}");
    for refused in [nobody, reader] {
        assert!(!String::from_utf8_lossy(&refused.body).contains("clusters"));
    }
    let seen = running.status("ml_user");
    assert_eq!((seen.status, seen.values("cache-control")), (200, vec!["no-store"]));
    let seen = seen.json();
    assert_eq!(seen["clusters"]["main"]["nodes"].as_object().map(|nodes| nodes.len()), Some(1), "{seen}");
    assert_eq!(
        seen["config"],
        json!({"generation": 1, "reloads": {"success": 0, "failure": 0}, "last_reload_problem": null})
    );
    assert_eq!(Client::connect(running.admin).simple("POST /api/v1/status", "").status, 405);
    assert_eq!(Client::connect(running.admin).simple("GET /api/v1/statuses", "").status, 404);
}

#[test]
fn it_says_who_switched_upgrade_mode_and_what_is_not_back() {
    let running = Running::start();
    let mode = || running.status("ml_user").json()["clusters"]["main"]["upgrade_mode"].clone();
    let reason = "X-Mlgate-Reason: 8.19 to 9.2\r\n";
    running.switch("POST /_ml/set_upgrade_mode?enabled=true&timeout=1m", reason);
    let on = mode();
    assert_eq!(
        (&on["state"], &on["by"], &on["reason"], &on["overdue"], &on["in_flight"], &on["after"]),
        (&json!("on"), &json!("ml_admin"), &json!("8.19 to 9.2"), &json!(false), &json!(0), &Value::Null)
    );
    assert!(on["since"].as_str().is_some() && on["view_age_seconds"].as_f64().is_some(), "{on}");
    running.switch("POST /_ml/set_upgrade_mode?enabled=false&timeout=1m", "");
    let off = mode();
    assert_eq!(
        (&off["state"], &off["since"], &off["by"], &off["reason"]),
        (&json!("off"), &Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(off["after"]["not_back"], json!([]), "{off}");
}
