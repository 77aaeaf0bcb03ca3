use proptest::prelude::*;

use super::*;

const OPEN: &str = "cluster:admin/xpack/ml/job/open";

fn authenticated(changes: &[(&str, &str)]) -> String {
    let mut members = vec![
        ("username", r#""jane""#),
        ("roles", r#"["viewer","ops","viewer"]"#),
        ("full_name", "null"),
        ("email", "null"),
        ("metadata", r#"{"a":{"b":[1e400]}}"#),
        ("enabled", "true"),
        ("authentication_realm", r#"{"name":"native1","type":"native","domain":"d"}"#),
        ("lookup_realm", r#"{"name":"native1","type":"native"}"#),
        ("authentication_type", r#""realm""#),
    ];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        members.push((name, value));
    }
    let members: Vec<String> =
        members.iter().filter(|(_, value)| *value != "-").map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn read(changes: &[(&str, &str)]) -> Result<Caller, Odd> {
    caller(authenticated(changes).replace("1e400", "1").as_bytes())
}

#[test]
fn a_caller_is_read_as_elasticsearch_writes_it() {
    let user = read(&[]).unwrap();
    assert_eq!((user.username.as_str(), &user.account, user.anonymous), ("jane", &Account::User, false));
    assert_eq!(user.roles, [RoleName::new("ops"), RoleName::new("viewer")]);
    let key = read(&[("api_key", r#"{"id":"k1","name":"n","managed_by":"elasticsearch"}"#)]).unwrap();
    assert_eq!(key.account, Account::ApiKey { id: "k1".to_owned() });
    let service = [("authentication_realm", r#"{"name":"_service_account","type":"_service_account"}"#)];
    assert_eq!(read(&service).unwrap().account, Account::ServiceAccount);
    assert!(read(&[("authentication_type", r#""anonymous""#)]).unwrap().anonymous);
    assert!(read(&[("authentication_realm", r#"{"name":"__anonymous","type":"__anonymous"}"#)]).unwrap().anonymous);
    assert_eq!(read(&[("authentication_realm", "-"), ("authentication_type", "-")]).unwrap().account, Account::User);
}

#[test]
fn what_is_no_caller_is_no_answer() {
    for (name, value, expected) in [
        ("username", "-", Odd::Malformed),
        ("username", "null", Odd::Malformed),
        ("username", "7", Odd::Malformed),
        ("username", r#""""#, Odd::Username),
        ("username", r#""a\nb""#, Odd::Username),
        ("username", r#""a\u0000""#, Odd::Username),
        ("roles", "-", Odd::Malformed),
        ("roles", r#""superuser""#, Odd::Malformed),
        ("roles", r#"["a",1]"#, Odd::Malformed),
        ("enabled", "-", Odd::Malformed),
        ("enabled", r#""true""#, Odd::Malformed),
        ("enabled", "false", Odd::NotEnabled),
        ("api_key", "{}", Odd::Malformed),
        ("api_key", r#"{"id":""}"#, Odd::Username),
        ("authentication_realm", r#""native""#, Odd::Malformed),
    ] {
        assert_eq!(read(&[(name, value)]), Err(expected), "{name} {value}");
    }
    let long = format!("{:?}", "x".repeat(USERNAME_BYTES_MAX + 1));
    assert_eq!(read(&[("username", &long)]), Err(Odd::Username));
    let whole = authenticated(&[]).replace("1e400", "1");
    for text in [
        String::new(),
        "[]".to_owned(),
        "null".to_owned(),
        whole.replacen('{', r#"{"username":"root","#, 1),
        whole.replacen('{', r#"{"enabled":true,"#, 1),
        format!("{whole} x"),
        whole.trim_end_matches('}').to_owned(),
        format!("\u{feff}{whole}"),
        format!(r#"{{"metadata":{}"#, "[".repeat(100_000)),
    ] {
        assert_eq!(caller(text.as_bytes()), Err(Odd::Malformed), "{}", text.get(..60).unwrap_or(&text));
    }
}

fn answers(all: bool, cluster: &str) -> String {
    format!(r#"{{"username":"jane","has_all_requested":{all},"cluster":{cluster},"index":{{}},"application":{{}}}}"#)
}

fn of(body: &str) -> Result<ClusterRights, Odd> {
    rights(body.as_bytes(), "jane", Account::User, true)
}

fn granted(rights: &ClusterRights, action: &'static str) -> bool {
    use crate::policy::{Demand, Principal, RealmRef, Rights, Roles, authorize};
    let principal = Principal {
        username: "jane".to_owned(),
        realm: RealmRef { name: "cluster".to_owned(), kind: "elasticsearch" },
        roles: Vec::new(),
        rights: Rights::Cluster(rights.clone()),
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    };
    authorize(&principal, Demand::Action(action), &Roles::default()).is_ok()
}

#[test]
fn only_a_yes_to_the_action_itself_grants_it() {
    let rights = of(&answers(false, &format!(r#"{{"{OPEN}":true,"manage_ml":true,"unasked":true}}"#))).unwrap();
    assert!(granted(&rights, OPEN));
    assert!(!granted(&rights, "cluster:admin/xpack/ml/job/close"), "what is absent is denied");
    assert!(!granted(&of(&answers(false, "{}")).unwrap(), OPEN));
}

#[test]
fn answers_that_contradict_themselves_are_none() {
    let every = |value: bool| {
        let names = questions().iter().copied().chain(exact_privileges());
        let members: Vec<String> = names.map(|name| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(granted(&of(&answers(true, &every(true))).unwrap(), OPEN));
    let but_one = every(true).replace(&format!("{OPEN:?}:true"), &format!("{OPEN:?}:false"));
    for (body, expected) in [
        (answers(true, &but_one), Odd::Contradiction),
        (answers(true, &every(true).replace(&format!("{OPEN:?}:true,"), "")), Odd::Contradiction),
        (answers(false, &every(true)), Odd::Contradiction),
        (answers(true, "{}"), Odd::Contradiction),
        (answers(false, &format!(r#"{{"{OPEN}":false,"{OPEN}":true}}"#)), Odd::Malformed),
        (answers(false, &format!(r#"{{"{OPEN}":true,"cluster:admin\/xpack\/ml\/job\/open":true}}"#)), Odd::Malformed),
        (answers(false, &format!(r#"{{"{OPEN}":"true"}}"#)), Odd::Malformed),
        (answers(false, &format!(r#"{{"{OPEN}":1}}"#)), Odd::Malformed),
        (answers(false, &format!(r#"["{OPEN}"]"#)), Odd::Malformed),
        (answers(false, "{}").replace("jane", "Jane"), Odd::OtherUser),
        (answers(false, "{}").replacen('{', r#"{"cluster":{},"#, 1), Odd::Malformed),
        (answers(false, "{}").replacen('{', r#"{"has_all_requested":true,"#, 1), Odd::Malformed),
        (r#"{"username":"jane","has_all_requested":false}"#.to_owned(), Odd::Malformed),
    ] {
        assert_eq!(of(&body), Err(expected), "{}", body.get(..120).unwrap_or(&body));
    }
    let many: Vec<String> = (0..=ANSWERS_MAX).map(|number| format!(r#""{number}":true"#)).collect();
    assert_eq!(of(&answers(false, &format!("{{{}}}", many.join(",")))), Err(Odd::Malformed));
    assert!(granted(&of(&answers(false, &but_one)).unwrap(), "cluster:admin/xpack/ml/job/close"));
    assert!(!granted(&of(&answers(false, &but_one)).unwrap(), OPEN));
}

#[test]
fn texts_for_the_caller_are_plain_and_short() {
    let body = |reason: &str| serde_json::json!({"error": {"reason": reason}, "status": 403}).to_string();
    assert_eq!(denial_reason(body("no").as_bytes()).as_deref(), Some("no"));
    for reason in ["", "a\r\nb", &"x".repeat(REASON_BYTES_MAX + 1)] {
        assert_eq!(denial_reason(body(reason).as_bytes()), None);
    }
    for body in ["", "{}", "[]", r#"{"error":"no"}"#, r#"{"error":{"reason":7}}"#] {
        assert_eq!(denial_reason(body.as_bytes()), None, "{body}");
    }
    let detail = br#"{"error":{"additional_unsuccessful_credentials":"API key: expired"}}"#;
    assert_eq!(refusal_detail(detail).as_deref(), Some("API key: expired"));
}

/// Texts near the ones that are read, and any bytes.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let whole = [authenticated(&[]).replace("1e400", "1"), answers(false, &format!(r#"{{"{OPEN}":true}}"#))];
    let torn = (prop::sample::select(whole.to_vec()), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(text, at, byte)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        },
    );
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), torn]
}

proptest! {
    /// Whatever a cluster sends: no panic, and nobody but the one who was asked about.
    #[test]
    fn any_bytes_are_an_answer_or_none(body in bodies()) {
        if let Ok(caller) = caller(&body) {
            prop_assert!(!caller.username.is_empty() && !caller.username.chars().any(char::is_control));
            prop_assert!(caller.roles.is_sorted());
        }
        if let Ok(rights) = rights(&body, "jane", Account::User, true) {
            let text = String::from_utf8(body.clone()).unwrap();
            prop_assert!(text.contains("jane"));
            prop_assert!(!granted(&rights, "cluster:admin/xpack/ml/job/close"));
        }
        let _ = (refusal_detail(&body), denial_reason(&body));
    }

    /// What is granted are exactly the actions that were answered with yes.
    #[test]
    fn grants_are_the_answers(yes in prop::sample::subsequence(questions().to_vec(), 0..questions().len())) {
        let members: Vec<String> =
            questions().iter().map(|name| format!("{name:?}:{}", yes.contains(name))).collect();
        let rights = of(&answers(false, &format!("{{{}}}", members.join(",")))).unwrap();
        for name in questions().iter().filter(|name| name.starts_with("cluster:")) {
            prop_assert_eq!(granted(&rights, name), yes.contains(name), "{}", name);
        }
    }
}
