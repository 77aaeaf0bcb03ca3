//! Secrets: in the config as `NAME`, or in a file as `NAME_file`.

use super::{Fault, KeyPath, Review};
use crate::config::document::SecretText;
use crate::secret::Secret;

impl Review<'_> {
    /// The secret `name` below `at`. `None`: it is not given, or what is wrong has been recorded.
    ///
    /// One line break at the end of a file is not part of the secret: editors add it.
    pub(super) fn secret(
        &mut self,
        at: &KeyPath,
        name: &str,
        text: Option<&SecretText>,
        file: Option<&str>,
    ) -> Option<Secret<String>> {
        let (key, file_key) = (at.key(name), at.key(format!("{name}_file")));
        let (key, secret) = match (text, file) {
            (Some(_), Some(_)) => {
                self.fault(&file_key, Fault::Conflict { other: name.to_owned() });
                return None;
            }
            (Some(text), None) => (key, text.0.clone()),
            (None, Some(file)) => {
                let (_, text) = self.named_text(&file_key, file)?;
                (file_key, Secret::new(without_line_break(&text).to_owned()))
            }
            (None, None) => return None,
        };
        if secret.expose().is_empty() {
            self.fault(&key, Fault::EmptySecret);
            return None;
        }
        Some(secret)
    }
}

fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_dropped() {
        for (text, expected) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a b ", " a b ")] {
            assert_eq!(without_line_break(text), expected, "{text:?}");
        }
    }
}
