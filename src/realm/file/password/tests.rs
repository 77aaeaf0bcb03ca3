use super::*;

/// Hashes of `secret-1`, made by libxcrypt and by Python's hashlib.
#[rustfmt::skip] // a table
const OF_SECRET_1: [&str; 7] = [
    "$2a$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC",
    "$2b$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC",
    "$2y$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC",
    "{PBKDF2}1000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=$eO3nQGhmsNKCKOk/Nm1DT+FRw3hMiul6KJTnQzFvcBU=",
    "{PBKDF2}10000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=$C/mURYjUFbjMlYWMZjTBtnWjFgBOWVbKe8WlMQy/goc=",
    "{PBKDF2_STRETCH}1000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=$NYrxEscFlBEqKiQfGPpvfS99ZH/fv6t1hHNu8gDuyWo=",
    "{SSHA256}AAECAwQFBgc=NKTzk0yX5t7yGVy9Sk7Jb20q4qCE725ALR2FQlT2kT4=",
];

#[test]
fn checks_what_elasticsearch_writes() {
    for text in OF_SECRET_1 {
        let hash = PasswordHash::parse(text).unwrap();
        assert!(hash.verify(b"secret-1"), "{text}");
        assert!(!hash.verify(b"secret-2") && !hash.verify(b"") && !hash.verify(b"secret-1 "), "{text}");
    }
}

#[test]
fn refuses_other_forms_and_never_compares_them() {
    #[rustfmt::skip] // a table
    let cases = [
        ("", HashProblem::Missing),
        ("secret-1", HashProblem::UnknownForm), ("{NOOP}secret-1", HashProblem::UnknownForm), ("$6$salt$hash", HashProblem::UnknownForm),
        ("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", HashProblem::UnknownForm), ("{ssha256}AAECAwQFBgc=", HashProblem::UnknownForm),
        ("{SHA}g6W4p7LhgXNrTK0jkeSGkbRDT9s=", HashProblem::TooWeak), ("{MD5}X03MO1qnZdYdgyfeuILPmQ==", HashProblem::TooWeak),
        ("$2x$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC", HashProblem::Malformed("bcrypt")),
        ("$2$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC", HashProblem::Malformed("bcrypt")),
        ("$2a$04$abc", HashProblem::Malformed("bcrypt")), ("$2a$xx$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC", HashProblem::Malformed("bcrypt")),
        ("$2a$15$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC", HashProblem::Cost { form: "bcrypt", least: 4, most: 14 }),
        ("$2a$31$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC", HashProblem::Cost { form: "bcrypt", least: 4, most: 14 }),
        ("{PBKDF2}1000$AAECAwQFBgcICQoLDA0ODw==$", HashProblem::Malformed("PBKDF2")),
        ("{PBKDF2}1000$AAEC$eO3nQGhmsNKCKOk/Nm1DT+FRw3hMiul6KJTnQzFvcBU=", HashProblem::Malformed("PBKDF2")),
        ("{PBKDF2}1000$AAECAwQFBgcICQoLDA0ODw==$eO3nQA==", HashProblem::Malformed("PBKDF2")),
        ("{PBKDF2}1000$AAECAwQFBgcICQoLDA0ODw==", HashProblem::Malformed("PBKDF2")), ("{PBKDF2}", HashProblem::Malformed("PBKDF2")),
        ("{PBKDF2}+1000$AAECAwQFBgcICQoLDA0ODw==$eO3nQGhmsNKCKOk/Nm1DTw==", HashProblem::Malformed("PBKDF2")),
        ("{PBKDF2}1$AAECAwQFBgcICQoLDA0ODw==$eO3nQGhmsNKCKOk/Nm1DTw==", HashProblem::Cost { form: "PBKDF2", least: 1000, most: 1_000_000 }),
        ("{PBKDF2}99999999999$AAECAwQFBgcICQoLDA0ODw==$eO3nQGhmsNKCKOk/Nm1DTw==", HashProblem::Cost { form: "PBKDF2", least: 1000, most: 1_000_000 }),
        ("{PBKDF2_OTHER}1000$AAECAwQFBgcICQoLDA0ODw==$eO3nQGhmsNKCKOk/Nm1DTw==", HashProblem::UnknownForm),
        ("{SSHA256}AAECAwQFBgc=", HashProblem::Malformed("SSHA256")), ("{SSHA256}ÄÄÄÄÄÄÄÄ", HashProblem::Malformed("SSHA256")),
    ];
    for (text, expected) in cases {
        assert_eq!(PasswordHash::parse(text), Err(expected), "{text}");
    }
}

#[test]
fn shows_neither_hash_nor_password() {
    assert_eq!(format!("{:?}", PasswordHash::parse(OF_SECRET_1[0]).unwrap()), "bcrypt [hidden]");
    assert!(!format!("{:?} {}", HashProblem::UnknownForm, HashProblem::UnknownForm).contains("secret"));
}

#[test]
fn looks_at_no_endless_password() {
    let hash = PasswordHash::parse(OF_SECRET_1[6]).unwrap();
    assert!(!hash.verify(&vec![b'x'; PASSWORD_BYTES_MAX + 1]));
}

#[test]
fn bcrypt_counts_the_first_72_bytes_as_elasticsearch_does() {
    let long = "x".repeat(72);
    let hash = PasswordHash::parse(&bcrypt::hash_with_salt(&long, 4, [7; 16]).unwrap().to_string()).unwrap();
    assert!(hash.verify(long.as_bytes()) && hash.verify(format!("{long}tail").as_bytes()));
    assert!(!hash.verify(&long.as_bytes()[..71]));
}

#[test]
fn makes_hashes_that_it_reads() {
    let text = hash_password("päss wörd").unwrap();
    assert!(text.starts_with("$2a$10$"), "{text}");
    let hash = PasswordHash::parse(&text).unwrap();
    assert!(hash.verify("päss wörd".as_bytes()) && !hash.verify(b"pass word"));
    assert_ne!(hash_password("päss wörd").unwrap(), text);
    assert_eq!(hash_password("12345"), Err(PasswordProblem::TooShort));
    assert_eq!(hash_password(&"x".repeat(73)), Err(PasswordProblem::TooLong));
}

#[test]
fn the_decoy_is_a_hash_of_the_default_form() {
    let decoy = PasswordHash::decoy();
    let Form::Bcrypt(hash) = &decoy.0 else { panic!("{decoy:?}") };
    assert_eq!(BcryptHash::parse(hash.text()).map(|_| ()), Ok(()));
    assert!(!decoy.verify(b""));
}
