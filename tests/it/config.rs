//! `mlgate check`: the shipped files on a fresh clone, and one clear line for everything that can be wrong.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};

use super::cli::mlgate;

const CONFIG: &str = "listeners:\n  - address: 127.0.0.1:0\n    tls: { certificate: server.crt, key: server.key }\n\
    authentication:\n  realms:\n    - { type: file, name: file1 }\n    - type: jwt\n      name: jwt1\n      allowed_issuer: i\n\
    \x20     allowed_audiences: [a]\n      allowed_signature_algorithms: [HS256]\n      claims: { principal: sub }\n\
    \x20     hmac_key_file: hmac\n\
    authorization: { roles: roles.yml, role_mapping: role_mapping.yml }\n";

/// A folder in which everything is right.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (name, text) in [
        ("mlgate.yml", CONFIG),
        ("server.crt", &certificate.pem()),
        ("server.key", &key.serialize_pem()),
        ("users", "jane:$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n"),
        ("users_roles", "superuser:jane\n"),
        ("roles.yml", "ml_ops:\n  cluster: [manage_ml]\n"),
        ("role_mapping.yml", "viewer:\n  - cn=x,dc=example\n"),
        ("hmac", "0123456789abcdef0123456789abcdef\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What `check` prints of a folder in which `name` holds `text` instead.
fn check(name: &str, text: &str) -> (i32, String) {
    let folder = folder();
    std::fs::write(folder.path().join(name), text).unwrap();
    check_folder(folder.path())
}

fn check_folder(folder: &Path) -> (i32, String) {
    let run = mlgate(folder, &["check", "--config", "mlgate.yml"], "");
    assert_eq!(run.stderr, "");
    (run.status, run.stdout)
}

#[test]
fn a_valid_config_is_summed_up() {
    let folder = folder();
    let (status, report) = check_folder(folder.path());
    assert_eq!(status, 0, "{report}");
    assert_eq!(
        report,
        "mlgate.yml: valid\n  listener  https://127.0.0.1:0\n  cluster   main (hosts *): embedded node, data in data\n\
         \x20 realms    file1, jwt1\n"
    );
}

#[test]
fn everything_that_is_malformed_gives_one_line_and_78() {
    let no_certificate = "mlgate.yml:3:25: listeners[0].tls.certificate: [server.crt]: no certificate in it";
    #[rustfmt::skip] // a table: file, what it holds, the beginning of the one line
    let cases = [
        ("mlgate.yml", "listeners: [", "mlgate.yml:1:"),
        ("mlgate.yml", "listeners: [{address: '127.0.0.1:0'}]\nlimitz: {}\n", "mlgate.yml:2:1: limitz: unknown key; did you mean [limits]?"),
        ("server.crt", "", no_certificate),
        ("server.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "mlgate.yml:3:25: listeners[0].tls.certificate: [server.crt]: certificate 1 cannot be read"),
        ("server.key", "", "mlgate.yml:3:42: listeners[0].tls.key: [server.key]: no private key in it"),
        ("server.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "mlgate.yml:3:42: listeners[0].tls.key: [server.key]: the private key is encrypted"),
        ("users", "jane\n", "users:1:1: authentication.realms[0].users: expected name:hash"),
        ("users", "# users\njane:plaintext\n", "users:2:1: authentication.realms[0].users: "),
        ("users_roles", "superuser\n", "users_roles:1:1: authentication.realms[0].users_roles: expected role:user1,user2"),
        ("roles.yml", "a:\n  cluster: [manage_mll]\n", "roles.yml:2:13: authorization.roles: unknown cluster privilege [manage_mll]. "),
        ("roles.yml", "superuser:\n  cluster: [all]\n", "roles.yml:1:1: authorization.roles: role [superuser] is reserved"),
        ("roles.yml", "a:\n  clusters: [all]\n", "roles.yml:2:3: authorization.roles: unknown key [clusters]"),
        ("roles.yml", "a: [\n", "roles.yml:"),
        ("role_mapping.yml", "viewer: [\"no dn\"]\n", "role_mapping.yml:1:"),
        ("role_mapping.yml", "m: {roles: [viewer], enabled: true, rules: {feld: {groups: x}}}\n", "role_mapping.yml:1:"),
        ("hmac", "short", "mlgate.yml:13:22: authentication.realms[1].hmac_key_file: "),
        ("hmac", "", "mlgate.yml:13:22: authentication.realms[1].hmac_key_file: the secret is empty"),
    ];
    for (file, text, expected) in cases {
        let (status, report) = check(file, text);
        assert_eq!((status, report.lines().count()), (78, 1), "{file} {text:?}\n{report}");
        assert!(report.starts_with(expected), "{file} {text:?}\n  expected {expected}\n  found    {report}");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (status, report) = check("server.key", &KeyPair::generate().unwrap().serialize_pem());
    assert_eq!(status, 78);
    assert_eq!(report, "mlgate.yml:3:42: listeners[0].tls.key: the private key does not belong to the certificate\n");
}

#[test]
fn what_is_missing_is_told_with_the_file() {
    let folder = folder();
    for name in ["server.crt", "users", "roles.yml", "role_mapping.yml", "hmac"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
        let (status, report) = check_folder(folder.path());
        assert_eq!(status, 78, "{report}");
        let line = format!("[{name}]: cannot be read: No such file or directory (os error 2)\n");
        assert!(report.contains(&line), "{report}");
    }
    let run = mlgate(folder.path(), &["check", "--config", "other.yml"], "");
    assert_eq!(run.status, 78);
    assert_eq!(run.stdout, "other.yml: cannot be read: No such file or directory (os error 2)\n");
}

#[test]
fn a_fresh_clone_is_valid_and_says_what_the_first_start_makes() {
    let clone = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    std::fs::create_dir(clone.path().join("config")).unwrap();
    for name in ["mlgate.yml", "roles.yml", "role_mapping.yml"] {
        std::fs::copy(source.join(name), clone.path().join("config").join(name)).unwrap();
    }
    let run = mlgate(clone.path(), &["check"], "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    for line in [
        "config/mlgate.yml: valid\n",
        "  listener  https://127.0.0.1:9243\n",
        "  admin     http://127.0.0.1:9244\n",
        "note: listeners[0].tls.certificate: [config/../certs/server.crt] will be made at the first start of mlgate serve\n",
        "note: authentication.realms[0].users: [config/users] will be made at the first start of mlgate serve\n",
    ] {
        assert!(run.stdout.contains(line), "{line:?} is not in\n{}", run.stdout);
    }
    // Half of a pair is a mistake, not a first start.
    std::fs::write(clone.path().join("config/users"), "").unwrap();
    let run = mlgate(clone.path(), &["check"], "");
    assert_eq!(run.status, 78);
    assert!(
        run.stdout.contains("authentication.realms[0].users_roles: [config/users_roles]: cannot be read"),
        "{}",
        run.stdout
    );
}

#[test]
fn notes_tell_what_works_but_may_not_be_meant() {
    let folder = folder();
    std::fs::write(folder.path().join("users_roles"), "superuserr:jane\nviewer:joe\n").unwrap();
    let (status, report) = check_folder(folder.path());
    assert_eq!(status, 0);
    assert!(
        report.contains("note: authentication.realms[0].users_roles: user [joe] has roles but is not in [users]\n"),
        "{report}"
    );
    assert!(report.contains("role [superuserr] is assigned but not defined; it grants nothing\n"), "{report}");
}
