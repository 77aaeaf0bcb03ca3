//! Patterns over action names: `*` any string, `?` one character, `\` takes the next character literally.

/// One element of a pattern. Action names are ASCII, so a byte is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(u8),
    AnyByte,
    AnyString,
}

/// A compiled pattern; it matches whole strings, case-sensitively, as Elasticsearch's `Automatons` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    pub(in crate::policy) fn parse(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            tokens.push(match byte {
                b'*' => Token::AnyString,
                b'?' => Token::AnyByte,
                // A backslash at the very end stands for itself.
                b'\\' => Token::Literal(bytes.next().unwrap_or(b'\\')),
                literal => Token::Literal(literal),
            });
        }
        Self { tokens }
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether all of `text` matches. Takes at most `tokens × text` steps, whatever the pattern.
    pub(in crate::policy) fn matches(&self, text: &str) -> bool {
        let (mut tokens, mut rest) = (self.tokens.as_slice(), text.as_bytes());
        let mut retry: Option<(&[Token], &[u8])> = None;
        loop {
            match (tokens.split_first(), rest.split_first()) {
                (None, None) => return true,
                (Some((Token::AnyString, after)), _) => {
                    retry = Some((after, rest));
                    tokens = after;
                    continue;
                }
                (Some((Token::AnyByte, after)), Some((_, tail))) => {
                    (tokens, rest) = (after, tail);
                    continue;
                }
                (Some((Token::Literal(literal), after)), Some((byte, tail))) if literal == byte => {
                    (tokens, rest) = (after, tail);
                    continue;
                }
                (None | Some((Token::AnyByte | Token::Literal(_), _)), _) => {}
            }
            // The last `*` takes one byte more.
            let Some((after, from)) = retry else { return false };
            let Some((_, tail)) = from.split_first() else { return false };
            retry = Some((after, tail));
            (tokens, rest) = (after, tail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_strings() {
        let cases = [
            ("cluster:admin/xpack/ml/*", "cluster:admin/xpack/ml/job/open", true),
            ("cluster:admin/xpack/ml/*", "cluster:admin/xpack/ml/", true),
            ("cluster:admin/xpack/ml/*", "cluster:admin/xpack/m", false),
            ("cluster:*/ml/*/get", "cluster:monitor/xpack/ml/info/get", true),
            ("cluster:*/ml/*/get", "cluster:monitor/xpack/ml/info/get/x", false),
            ("*a*b*c", "xxaxxbxxbc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("job?", "job1", true),
            ("job?", "job", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            ("", "", true),
            ("", "a", false),
            ("Cluster:*", "cluster:x", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} over {text}");
        }
    }
}
