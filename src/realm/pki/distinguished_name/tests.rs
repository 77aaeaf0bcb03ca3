use proptest::prelude::*;
use rcgen::{CertificateParams, DistinguishedName as Subject, DnType, DnValue, KeyPair};

use super::*;
use crate::realm::pki::{Username, UsernameProblem};

/// `new X500Principal(der).toString()` of OpenJDK 17 and 25, which agree: the DER in hexadecimal, a space, the text.
const JAVA: &str = include_str!("java_names.txt");

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 128);
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

/// A name with one attribute each: `CN` of a type and bytes.
fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
    let pair = element(0x30, &[&[6, 3, 0x55, 4, 3], element(tag, value).as_slice()].concat());
    element(0x30, &element(0x31, &pair))
}

/// The DER of a subject, made by another library.
fn subject(attributes: &[(DnType, &str)]) -> Vec<u8> {
    let mut subject = Subject::new();
    for (kind, value) in attributes {
        subject.push(kind.clone(), DnValue::Utf8String((*value).to_owned()));
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).unwrap();
    parsed.subject().as_raw().to_vec()
}

fn user(username: &Username, der: &[u8]) -> Result<Option<String>, Refusal> {
    let name = DistinguishedName::read(der)?;
    username.find(&name).map(|found| found.map(str::to_owned))
}

fn default_pattern() -> Username {
    Username::pattern("CN=(.*?)(?:,|$)").unwrap()
}

#[test]
fn writes_names_as_java_does() {
    for line in JAVA.lines() {
        let (hex, expected) = line.split_once(' ').unwrap();
        assert_eq!(DistinguishedName::read(&bytes(hex)).unwrap().text, expected, "{hex}");
    }
    assert!(JAVA.lines().count() > 40);
}

#[test]
fn refuses_names_that_could_be_read_as_others() {
    #[rustfmt::skip] // a table: type, value, why
    let cases: [(u8, &[u8], Refusal); 14] = [
        (12, b"elastic\0.example", Refusal::ControlCharacter), (12, b"elastic\n", Refusal::ControlCharacter),
        (19, b"elastic\r", Refusal::ControlCharacter), (22, b"\x1b[2J", Refusal::ControlCharacter),
        (12, "a\u{85}".as_bytes(), Refusal::ControlCharacter), (12, "a\u{2028}b".as_bytes(), Refusal::ControlCharacter),
        (20, b"a\x85", Refusal::ControlCharacter), (30, b"\0a\0\0", Refusal::ControlCharacter),
        (12, b"\xff", Refusal::Subject), (12, b"\xc0\xae", Refusal::Subject), (19, b"jos\xe9", Refusal::Subject),
        (30, b"\0a\0", Refusal::Subject), (30, b"\xd8\0", Refusal::Subject), (28, b"\0\x11\0\0", Refusal::Subject),
    ];
    for (tag, value, expected) in cases {
        assert_eq!(DistinguishedName::read(&common_name(tag, value)).unwrap_err(), expected, "{tag} {value:?}");
    }
    for quoted in ["\"\"", "\"Doe, Jane\"", "\"a\", CN=elastic, O=\""] {
        let der = common_name(12, quoted.as_bytes());
        assert_eq!(DistinguishedName::read(&der).unwrap_err(), Refusal::Quoted, "{quoted}");
    }
    let long = "x".repeat(5000);
    assert_eq!(DistinguishedName::read(&subject(&[(DnType::CommonName, &long)])).unwrap_err(), Refusal::TooLong);
}

#[test]
fn refuses_what_is_no_name() {
    let good = common_name(12, b"jane");
    assert!(DistinguishedName::read(&good).is_ok());
    let with_rest = [good.as_slice(), &[5, 0]].concat();
    let empty_set = element(0x30, &element(0x31, &[]));
    let set_outside = element(0x31, &element(0x31, &[]));
    let rest_in_pair = element(
        0x30,
        &element(0x31, &element(0x30, &[&[6, 3, 0x55, 4, 3], &element(12, b"a")[..], &element(12, b"b")].concat())),
    );
    let garbage_after = element(0x30, &[&good[2..], &[0x31, 5]].concat());
    for der in [&[][..], &good[..good.len() - 1], &with_rest, &empty_set, &set_outside, &rest_in_pair, &garbage_after] {
        assert_eq!(DistinguishedName::read(der).unwrap_err(), Refusal::Subject, "{der:02x?}");
    }
}

#[test]
fn the_pattern_takes_whole_values_only() {
    use DnType::{CommonName as Cn, OrganizationName as O, OrganizationalUnitName as Ou};
    let pattern = default_pattern();
    #[rustfmt::skip] // a table: the subject from the root down, and the user name
    let cases: [(&[(DnType, &str)], _); 10] = [
        (&[(O, "Example"), (Cn, "Jane Doe")], Ok(Some("Jane Doe"))),
        (&[(Cn, "jane"), (Ou, "People")], Ok(Some("jane"))),
        (&[(Cn, "Users"), (Ou, "x"), (Cn, "jane")], Ok(Some("jane"))),
        (&[(Ou, "People")], Ok(None)), (&[], Ok(None)), (&[(Cn, "")], Ok(None)),
        (&[(Cn, "Doe, Jane")], Err(Refusal::PieceOfValue)),
        // Elasticsearch: elastic (GHSA-m9gh-789g-q5pv).
        (&[(Cn, "jane"), (Ou, "CN=elastic,")], Err(Refusal::PieceOfValue)),
        (&[(Cn, "jane"), (Ou, "x, CN=elastic, y")], Err(Refusal::PieceOfValue)),
        (&[(Cn, "elastic\u{ff0c} x")], Ok(Some("elastic\u{ff0c} x"))),
    ];
    for (attributes, expected) in cases {
        let expected = expected.map(|name| name.map(str::to_owned));
        assert_eq!(user(&pattern, &subject(attributes)), expected, "{attributes:?}");
    }
    let whole = Username::pattern("^(.*)$").unwrap();
    assert_eq!(user(&whole, &subject(&[(O, "A, B"), (Cn, "x")])).unwrap().unwrap(), "CN=x, O=\"A, B\"");
    let lower = Username::pattern("ou=(\\w+)").unwrap();
    assert_eq!(user(&lower, &subject(&[(Ou, "People")])).unwrap().unwrap(), "People", "without case");
}

#[test]
fn an_attribute_is_taken_as_it_is() {
    use DnType::{CommonName as Cn, OrganizationalUnitName as Ou};
    for cn in [Username::attribute_name("cn").unwrap(), Username::attribute_oid("2.5.4.3").unwrap()] {
        let found = |attributes: &[(DnType, &str)]| user(&cn, &subject(attributes)).unwrap();
        assert_eq!(found(&[(Cn, "Doe, Jane")]).unwrap(), "Doe, Jane");
        assert_eq!(found(&[(Cn, "jane"), (Ou, "CN=elastic,")]).unwrap(), "jane");
        assert_eq!(found(&[(Ou, "CN=elastic")]), None);
        assert_eq!(found(&[(Cn, "b"), (Ou, "u"), (Cn, "a")]).unwrap(), "a", "the most specific");
        let pair = |value: &[u8]| element(0x30, &[&[6, 3, 0x55, 4, 3], &element(12, value)[..]].concat());
        let twice = element(0x30, &element(0x31, &[pair(b"a"), pair(b"b")].concat()));
        assert_eq!(user(&cn, &twice), Err(Refusal::Ambiguous));
    }
}

#[test]
fn settings_that_name_no_user_are_refused() {
    let wrong = |made: Result<Username, UsernameProblem>| made.unwrap_err().to_string();
    assert_eq!(wrong(Username::pattern("CN=(")), "[CN=(] is not a regular expression that mlgate can run");
    assert_eq!(wrong(Username::pattern("a)(b")), "[a)(b] is not a regular expression that mlgate can run");
    assert_eq!(wrong(Username::pattern("CN=.*")), "[CN=.*] needs a group: what is the user name");
    assert!(wrong(Username::attribute_name("XN")).starts_with("[XN] is not the name of an attribute"));
    for oid in ["", "2", "2.5.", "2.05.4", "CN", "2.5.x"] {
        assert_eq!(
            wrong(Username::attribute_oid(oid)),
            format!("[{oid}] is not an object identifier, such as [2.5.4.3]")
        );
    }
}

proptest! {
    /// Nobody becomes somebody else: whatever stands in the other attributes, the name is that of an attribute of the
    /// type that the pattern names, or there is none.
    #[test]
    fn a_hostile_value_never_makes_another_user(
        ours in "[a-z ,=+\"\\\\#;<>CN]{0,12}",
        theirs in "[a-z ,=+\"\\\\#;<>CN]{0,24}",
        first in any::<bool>(),
    ) {
        let (cn, ou) = ((DnType::CommonName, ours.as_str()), (DnType::OrganizationalUnitName, theirs.as_str()));
        let der = if first { subject(&[cn, ou]) } else { subject(&[ou, cn]) };
        if let Ok(Some(name)) = user(&default_pattern(), &der) {
            let quoted = format!("\"{}\"", ours.replace('\\', r"\\").replace('"', r#"\""#));
            prop_assert!(name == ours || name == quoted, "{name:?} of {ours:?} and {theirs:?}");
        }
        if let Ok(Some(name)) = user(&Username::attribute_name("CN").unwrap(), &der) {
            prop_assert_eq!(name, ours);
        }
    }

    #[test]
    fn two_values_never_have_one_text(one in "[a\" ,\\\\=]{0,6}", other in "[a\" ,\\\\=]{0,6}") {
        let text = |value: &str| DistinguishedName::read(&common_name(12, value.as_bytes())).map(|name| name.text);
        if let (Ok(left), Ok(right)) = (text(&one), text(&other)) {
            prop_assert_eq!(left == right, one == other);
        }
    }

    #[test]
    fn is_total_on_any_bytes(der in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = DistinguishedName::read(&der);
    }

    #[test]
    fn is_total_on_broken_names(index in 0usize..40, position in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let line = JAVA.lines().nth(index).unwrap();
        let mut der = bytes(line.split_once(' ').unwrap().0);
        let position = position.index(der.len());
        der[position] = byte;
        if let Ok(name) = DistinguishedName::read(&der) {
            prop_assert!(!name.text.chars().any(is_control));
        }
    }
}
