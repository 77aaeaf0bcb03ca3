//! Wildcards and `/regular expressions/` over whole strings, as Elasticsearch's `Automatons` reads them.

mod lucene;

use regex_lite::Regex;

use lucene::Untranslated;

/// A pattern over a whole string.
#[derive(Clone, Debug)]
pub(in crate::realm) enum Pattern {
    Exact(String),
    /// From a wildcard or a `/regular expression/`, anchored on both sides.
    Regular(Regex),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    #[error("[{0}] starts with / but does not end with one")]
    OpenEnd(String),
    #[error("[{0}] is not a regular expression that mlgate can run")]
    NotRegular(String),
    /// An operator of Lucene's.
    #[error("[{text}] has the operator [{operator}], which mlgate cannot run; [\\{operator}] is the character")]
    Operator { text: String, operator: char },
    #[error("[{0}] needs a group: what is kept of the claim")]
    NoGroup(String),
}

impl Pattern {
    /// Takes an exact string, one with `*` (any string) and `?` (one character), where `\` takes the next character as
    /// it is, or a regular expression of Lucene between slashes.
    ///
    /// # Errors
    /// A regular expression that does not end or cannot be compiled (too large, look-around, back references).
    ///
    /// Source: Elasticsearch, `Automatons.java`.
    pub(in crate::realm) fn parse(text: &str) -> Result<Self, PatternProblem> {
        if let Some(rest) = text.strip_prefix('/') {
            let body = rest.strip_suffix('/').ok_or_else(|| PatternProblem::OpenEnd(text.to_owned()))?;
            let translated = lucene::translate(body).map_err(|problem| match problem {
                Untranslated::Operator(operator) => PatternProblem::Operator { text: text.to_owned(), operator },
                Untranslated::Malformed => PatternProblem::NotRegular(text.to_owned()),
            })?;
            return compile(&translated, text);
        }
        if !text.contains(['*', '?', '\\']) {
            return Ok(Self::Exact(text.to_owned()));
        }
        compile(&wildcard(text), text)
    }

    /// Whether all of `value` matches.
    pub(in crate::realm) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == value,
            Self::Regular(regex) => regex.is_match(value),
        }
    }
}

fn compile(body: &str, text: &str) -> Result<Pattern, PatternProblem> {
    let anchored = format!(r"\A(?s:{body})\z");
    // Alone as well, so that a body which closes the group itself does not slip out of the anchors.
    let compiled = Regex::new(body).and_then(|_| Regex::new(&anchored));
    compiled.map(Pattern::Regular).map_err(|_| PatternProblem::NotRegular(text.to_owned()))
}

/// The regular expression of a wildcard.
fn wildcard(text: &str) -> String {
    let mut body = String::with_capacity(text.len() * 2);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => body.push_str(".*"),
            '?' => body.push('.'),
            // A `\` at the very end stands for itself.
            '\\' => escape(characters.next().unwrap_or('\\'), &mut body),
            other => escape(other, &mut body),
        }
    }
    body
}

fn escape(character: char, body: &mut String) {
    let mut buffer = [0; 4];
    body.push_str(&regex_lite::escape(character.encode_utf8(&mut buffer)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_whole_string() {
        #[rustfmt::skip] // a table
        let cases = [
            ("admin", "admin", true), ("admin", "admins", false), ("ad*", "admin", true), ("ad*", "bad", false),
            ("*", "", true), ("*", "a\nb/c", true), ("a?c", "abc", true), ("a?c", "ac", false), ("a?c", "aéc", true),
            (r"a\*", "a*", true), (r"a\*", "ab", false), (r"a\", r"a\", true), ("a.c*", "abc", false),
            ("/a|b/", "b", true), ("/a|b/", "ab", false), ("/a.*z/", "a-z", true), ("/a.*z/", "xa-z", false),
            ("[a]*", "[a]x", true), ("(*", "(x", true),
        ];
        for (pattern, value, expected) in cases {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(value), expected, "{pattern} on {value}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_compiled() {
        assert_eq!(Pattern::parse("/abc").unwrap_err(), PatternProblem::OpenEnd("/abc".to_owned()));
        assert_eq!(Pattern::parse("/").unwrap_err(), PatternProblem::OpenEnd("/".to_owned()));
        assert_eq!(Pattern::parse("/(/").unwrap_err(), PatternProblem::NotRegular("/(/".to_owned()));
        assert_eq!(Pattern::parse("/a)(b/").unwrap_err(), PatternProblem::NotRegular("/a)(b/".to_owned()));
        for body in ["a**", "a*?", "(?i)a", "[]", "[^]", "[a-]", "[b-a]", "[a", "\"a", "a\\", "a{x}", "a{2", "*a"] {
            let text = format!("/{body}/");
            assert_eq!(Pattern::parse(&text).unwrap_err(), PatternProblem::NotRegular(text));
        }
        let operator = Pattern::parse("/~(admin)/").unwrap_err().to_string();
        assert_eq!(operator, r"[/~(admin)/] has the operator [~], which mlgate cannot run; [\~] is the character");
        assert!(["/a&b/", "/#/", "/a<1-9>/"].iter().all(|text| Pattern::parse(text).is_err()));
    }

    #[test]
    fn regular_expressions_are_lucenes() {
        #[rustfmt::skip] // a table
        let cases = [
            ("/^admin/", "admin", false), ("/^admin/", "^admin", true), ("/admin$/", "admin", false), ("/a@z/", "a-b-z", true),
            ("/a@z/", "a@", false), ("/\"a.b\"/", "a.b", true), ("/\"a.b\"/", "axb", false), ("/\"ab\"*/", "abab", true),
            ("/[a-c]+/", "abc", true), ("/[^a-c]+/", "xyz", true), ("/[^a-c]+/", "xaz", false), ("/[.$^&~]+/", "&~$.^", true),
            ("/[[:alpha:]]/", "a]", true), ("/[[:alpha:]]/", "b", false), (r"/[\]a]/", "]", true), (r"/\d{2,3}/", "123", true),
            (r"/\w+\.x/", "a_1.x", true), (r"/\~\&/", "~&", true), (r"/\b/", "b", true), ("/(a|b)c/", "bc", true), ("/()/", "", true),
            ("/a.c/", "a\nc", true), ("/é+/", "éé", true), ("/a}]>/", "a}]>", true),
        ];
        for (pattern, value, expected) in cases {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(value), expected, "{pattern} on {value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn is_total_on_any_expression(body in "[ -~é]{0,20}", value in "[ -~]{0,10}") {
            if let Ok(pattern) = Pattern::parse(&format!("/{body}/")) {
                let _ = pattern.matches(&value);
            }
        }

        /// A text without operators matches itself and nothing else.
        #[test]
        fn plain_characters_mean_themselves(body in "[a-z^$ ,:=_!é-]{1,10}", value in "[a-z^$ ,:=_!é-]{1,10}") {
            let pattern = Pattern::parse(&format!("/{body}/")).unwrap();
            proptest::prop_assert!(pattern.matches(&body));
            proptest::prop_assert_eq!(pattern.matches(&value), body == value);
        }
    }
}
