use proptest::prelude::*;

use super::*;

fn parse_basic(text: &str) -> Result<(String, Vec<u8>), Malformed> {
    let header = format!("Basic {}", STANDARD.encode(text));
    match Presented::parse(header.as_bytes())? {
        Presented::Basic(basic) => Ok((basic.username.clone(), basic.password.to_vec())),
        Presented::Bearer(_) | Presented::ApiKey | Presented::Other => panic!("{header}"),
    }
}

#[test]
fn the_first_colon_splits() {
    assert_eq!(parse_basic("elastic:pass:word"), Ok(("elastic".to_owned(), b"pass:word".to_vec())));
    assert_eq!(parse_basic("elastic:"), Ok(("elastic".to_owned(), Vec::new())));
    assert_eq!(parse_basic("jürgen:päss"), Ok(("jürgen".to_owned(), "päss".as_bytes().to_vec())));
    assert_eq!(parse_basic("elastic"), Err(Malformed::BasicValue));
    assert_eq!(parse_basic(":pass"), Err(Malformed::BasicValue));
}

proptest! {
    #[test]
    fn is_total_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Presented::parse(&bytes);
    }

    #[test]
    fn is_total_behind_every_scheme(scheme in "(?i)basic|bearer|apikey", rest in "[ -~]{0,60}") {
        let _ = Presented::parse(format!("{scheme} {rest}").as_bytes());
    }

    #[test]
    fn what_was_encoded_comes_back(username in "[^:]{1,20}", password in ".{0,40}") {
        prop_assert_eq!(parse_basic(&format!("{username}:{password}")), Ok((username, password.into_bytes())));
    }
}
