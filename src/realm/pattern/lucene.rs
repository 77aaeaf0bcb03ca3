//! Lucene's regular expressions, written for the engine that we have.
//!
//! The same characters mean other things in the two: `^` and `$` are plain ones in Lucene, `@` is any string, `"` begins
//! a plain text. Taken over as they stand, `/^admin/` would match more here than in Elasticsearch.
//!
//! Source: Lucene, `RegExp`, with all optional operators, as Elasticsearch's `Automatons` uses it.

use std::iter::Peekable;
use std::str::Chars;

/// Why an expression cannot be written for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untranslated {
    /// An operator of Lucene that the engine has not.
    Operator(char),
    Malformed,
}

/// The expression for `regex_lite`; parentheses and counts are left for it to check.
pub(super) fn translate(expression: &str) -> Result<String, Untranslated> {
    let mut characters = expression.chars().peekable();
    let mut written = String::with_capacity(expression.len() * 2);
    let mut repeated = false;
    while let Some(character) = characters.next() {
        let repeats = matches!(character, '*' | '+' | '?' | '{');
        if repeats && repeated {
            return Err(Untranslated::Malformed);
        }
        repeated = repeats;
        match character {
            '~' | '&' | '#' | '<' => return Err(Untranslated::Operator(character)),
            '.' | '|' | ')' | '*' | '+' | '?' => written.push(character),
            // What stands behind `(?` is an extension of the engine.
            '(' if characters.peek() == Some(&'?') => return Err(Untranslated::Malformed),
            '(' => written.push_str("(?:"),
            '{' => count(&mut characters, &mut written)?,
            '@' => written.push_str("(?:.*)"),
            '"' => quoted(&mut characters, &mut written)?,
            '[' => class(&mut characters, &mut written)?,
            '\\' => escaped(&mut characters, &mut written)?,
            plain => literal(plain, &mut written),
        }
    }
    Ok(written)
}

/// `{2}`, `{2,}` or `{2,5}`.
fn count(characters: &mut Peekable<Chars<'_>>, written: &mut String) -> Result<(), Untranslated> {
    written.push('{');
    for character in characters.by_ref() {
        match character {
            '0'..='9' | ',' => written.push(character),
            '}' => {
                written.push('}');
                return Ok(());
            }
            _ => break,
        }
    }
    Err(Untranslated::Malformed)
}

/// Plain text up to the next quote.
fn quoted(characters: &mut Peekable<Chars<'_>>, written: &mut String) -> Result<(), Untranslated> {
    written.push_str("(?:");
    for character in characters.by_ref() {
        if character == '"' {
            written.push(')');
            return Ok(());
        }
        literal(character, written);
    }
    Err(Untranslated::Malformed)
}

/// What stands behind `[`.
fn class(characters: &mut Peekable<Chars<'_>>, written: &mut String) -> Result<(), Untranslated> {
    written.push('[');
    if characters.next_if_eq(&'^').is_some() {
        written.push('^');
    }
    if characters.peek() == Some(&']') {
        return Err(Untranslated::Malformed);
    }
    let mut in_range = false;
    while let Some(character) = characters.next() {
        match character {
            ']' if in_range => break,
            ']' => {
                written.push(']');
                return Ok(());
            }
            '\\' => escaped(characters, written)?,
            plain => literal(plain, written),
        }
        in_range = !in_range && characters.next_if_eq(&'-').is_some();
        if in_range {
            written.push('-');
        }
    }
    Err(Untranslated::Malformed)
}

/// What stands behind `\`: a class such as `\d`, or any character as it is.
fn escaped(characters: &mut Peekable<Chars<'_>>, written: &mut String) -> Result<(), Untranslated> {
    match characters.next() {
        None => Err(Untranslated::Malformed),
        Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
            written.push('\\');
            written.push(class);
            Ok(())
        }
        Some(plain) => {
            literal(plain, written);
            Ok(())
        }
    }
}

/// A character that means itself, whatever it is.
fn literal(character: char, written: &mut String) {
    if character.is_ascii_alphanumeric() {
        written.push(character);
    } else {
        written.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
    }
}
