use proptest::prelude::*;

use super::*;

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC";

fn users(text: &str) -> Result<Vec<String>, Vec<String>> {
    let told = |problems: Vec<UsersProblem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let users = Users::parse(text.as_bytes()).map_err(told)?;
    let mut names: Vec<_> = users.names().map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

fn roles_of(text: &str, user: &str) -> Vec<String> {
    let file = UsersRoles::parse(text.as_bytes()).unwrap();
    file.roles(user).map(ToString::to_string).collect()
}

fn roles_problems(text: &[u8]) -> Vec<String> {
    UsersRoles::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn users_reads_elasticsearchs_format() {
    let file = format!(
        "# comment: not a user\n\n   \nelastic:{HASH}\r\n  ml user@example.com:{HASH}  \n#old:{HASH}\nlast:{HASH}"
    );
    assert_eq!(users(&file).unwrap(), ["elastic", "last", "ml user@example.com"]);
    assert_eq!(users("").unwrap(), Vec::<String>::new());
}

#[test]
fn users_tells_every_malformed_line() {
    let long = "x".repeat(1025);
    let file = format!(
        "elastic:{HASH}\nno colon\n:{HASH}\nempty:\nplain:secret\nelastic:{HASH}\nü:{HASH}\nuser :{HASH}\n{long}:{HASH}\n # not a comment\nbell\u{7}:{HASH}\n"
    );
    #[rustfmt::skip]
    assert_eq!(users(&file).unwrap_err(), [
        "line 2: expected name:hash",
        "line 3: a name is needed",
        "line 4: the hash is missing",
        "line 5: not a hash that Elasticsearch writes (bcrypt or PBKDF2): make one with `mlgate hash-password`",
        "line 6: user [elastic] is already there",
        "line 7: [ü] may hold printable ASCII characters and spaces only",
        "line 8: [user ] starts or ends with a space",
        "line 9: a name has at most 1024 characters",
        "line 10: expected name:hash",
        "line 11: [bell\\u{7}] may hold printable ASCII characters and spaces only",
    ]);
    let not_utf8 = Users::parse(b"a\nb\xff:x\n").unwrap_err();
    assert_eq!(not_utf8.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(not_utf8[1].cause, UsersCause::NotUtf8);
}

#[test]
fn problems_and_debug_show_no_hash_and_no_password() {
    let problems = format!("{:?}", Users::parse(b"plain:hunter2\nold:{SHA}hunter2\n").unwrap_err());
    assert!(!problems.contains("hunter2"), "{problems}");
    let shown = format!("{:?}", Users::parse(format!("elastic:{HASH}").as_bytes()).unwrap());
    assert!(!shown.contains("abcdefgh"), "{shown}");
}

#[test]
fn users_roles_reads_elasticsearchs_format() {
    let file = "# roles\n\nsuperuser:elastic\nviewer : elastic , reader\nviewer:late\nmachine learning:reader\r\n";
    assert_eq!(roles_of(file, "elastic"), ["superuser", "viewer"]);
    assert_eq!(roles_of(file, "reader"), ["machine learning", "viewer"]);
    assert_eq!(roles_of(file, "late"), ["viewer"]);
    assert_eq!(roles_of(file, "nobody"), Vec::<String>::new());
    let file = UsersRoles::parse(file.as_bytes()).unwrap();
    assert_eq!(file.role_names().len(), 3);
    assert_eq!(file.users().count(), 3);
}

#[test]
fn users_roles_tells_every_malformed_line() {
    #[rustfmt::skip]
    assert_eq!(roles_problems(b"viewer\n:elastic\nviewer:\nviewer:a,,b\nr\xc3\xb6le:a\nok:a\n\xff:a\n"), [
        "line 1: expected role:user1,user2",
        "line 2: role: a name is needed",
        "line 3: role [viewer]: user: a name is needed",
        "line 4: role [viewer]: user: a name is needed",
        "line 5: role: [röle] may hold printable ASCII characters and spaces only",
        "line 7: not UTF-8",
    ]);
}

proptest! {
    #[test]
    fn both_readers_are_total(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        if let Err(problems) = Users::parse(&bytes) {
            prop_assert!(!problems.is_empty() && problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
        if let Err(problems) = UsersRoles::parse(&bytes) {
            prop_assert!(!problems.is_empty() && problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
    }

    #[test]
    fn no_text_is_a_hash_that_fits_itself(text in "[ -~]{0,80}") {
        if let Ok(hash) = password::PasswordHash::parse(&text) {
            prop_assert!(!hash.verify(text.as_bytes()));
        }
    }

    #[test]
    fn every_valid_name_comes_back(name in "[!-~]([ -~]{0,40}[!-~])?") {
        prop_assume!(!name.contains(':') && !name.starts_with('#'));
        prop_assert_eq!(users(&format!("{name}:{HASH}")), Ok(vec![name]));
    }
}
