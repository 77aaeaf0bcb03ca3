use std::fs;
use std::path::Path;

use super::*;

const READER: &str = "web_reader:\n  indices:\n    - names: [ 'web' ]\n      privileges: [ read ]\n";

fn basic_of(name: &str, password: &str) -> HeaderMap {
    let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
}

fn write_users(folder: &Path, password: &str, role: &str) {
    let hash = bcrypt::hash(password, 4).unwrap();
    fs::write(folder.join("users"), format!("ann:{hash}\n")).unwrap();
    fs::write(folder.join("users_roles"), format!("{role}:ann\n")).unwrap();
}

fn caller_with(role: &str) -> Caller {
    Caller { roles: vec![role.to_owned()], ..Caller::anyone() }
}

fn reads(gatekeeper: &Gatekeeper, caller: &Caller) -> bool {
    gatekeeper.access(caller).allows("indices:data/read/search", "web")
}

#[tokio::test]
async fn a_changed_password_or_role_counts_and_the_verified_one_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    write_users(folder.path(), "secret-1", "viewer");
    let gatekeeper = Gatekeeper::new(&Security::Files(folder.path().to_owned())).unwrap();
    let old = basic_of("ann", "secret-1");
    assert_eq!(gatekeeper.authenticate(&old, "/").await.unwrap().roles, ["viewer"]);
    assert_eq!(gatekeeper.refresh().unwrap(), Refreshed::Unchanged);

    write_users(folder.path(), "secret-22", "editor");
    assert_eq!(gatekeeper.refresh().unwrap(), Refreshed::Changed);
    assert!(gatekeeper.authenticate(&old, "/").await.is_err(), "the verified password is forgotten");
    assert_eq!(gatekeeper.authenticate(&basic_of("ann", "secret-22"), "/").await.unwrap().roles, ["editor"]);
}

#[tokio::test(start_paused = true)]
async fn a_narrowed_or_removed_role_ends_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roles.yml");
    fs::write(&file, READER).unwrap();
    let security = Security::Gateway { secret: Secret::new("s".to_owned()), roles: Some(file.clone()) };
    let gatekeeper = Arc::new(Gatekeeper::new(&security).unwrap());
    let caller = caller_with("web_reader");
    assert!(reads(&gatekeeper, &caller));
    let followed = Arc::clone(&gatekeeper);
    let follower = tokio::spawn(async move { followed.follow().await });

    fs::write(&file, READER.replace("'web'", "'other'")).unwrap();
    tokio::time::sleep(LOOK_INTERVAL + Duration::from_millis(1)).await;
    assert!(!reads(&gatekeeper, &caller), "narrowed");
    fs::write(&file, "# none any more\n").unwrap();
    tokio::time::sleep(LOOK_INTERVAL).await;
    assert!(!reads(&gatekeeper, &caller), "removed");
    follower.abort();
}

#[test]
fn a_bad_file_keeps_the_last_good_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roles.yml");
    fs::write(&file, READER).unwrap();
    let security = Security::Gateway { secret: Secret::new("s".to_owned()), roles: Some(file.clone()) };
    let gatekeeper = Gatekeeper::new(&security).unwrap();
    let caller = caller_with("web_reader");
    fs::write(&file, "web_reader: [\n").unwrap();
    assert!(gatekeeper.refresh().is_err());
    assert!(reads(&gatekeeper, &caller));
    assert_eq!(gatekeeper.refresh().unwrap(), Refreshed::Unchanged, "a bad file is told once");
    assert!(gatekeeper.replace_roles(Some(folder.path().join("missing.yml"))).is_err());
    assert!(reads(&gatekeeper, &caller));
    gatekeeper.replace_roles(None).unwrap();
    assert!(!reads(&gatekeeper, &caller));
}
