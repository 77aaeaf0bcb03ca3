//! Patterns of names: `*` is any text, `?` any one character where it is asked for.

/// Matches the whole of `text`; only `*` is special.
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern, text, false)
}

/// Matches with `*` and `?`, in time proportional to the product of the lengths at worst.
pub fn glob(pattern: &str, text: &str, question_mark: bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() {
        match (pattern.get(at), text.get(seen)) {
            (Some('*'), _) => {
                retry = Some((at + 1, seen));
                at += 1;
            }
            (Some('?'), _) if question_mark => {
                at += 1;
                seen += 1;
            }
            (Some(expected), Some(found)) if expected == found => {
                at += 1;
                seen += 1;
            }
            _ => {
                // Back to the last star, which takes one character more.
                let Some((after, from)) = retry else { return false };
                at = after;
                seen = from + 1;
                retry = Some((after, from + 1));
            }
        }
    }
    pattern.iter().skip(at).all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skipped| slow(rest, &text[skipped..])),
            Some((first, rest)) => text.first() == Some(first) && slow(rest, &text[1..]),
        }
    }

    #[test]
    fn stars_and_question_marks() {
        assert!(matches("a*c", "abbc") && matches("*", "") && !matches("a*c", "abcd"));
        assert!(glob("a?c", "abc", true) && !glob("a?c", "ac", true) && !matches("a?c", "abc"));
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_way(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), slow(&p, &t));
        }
    }
}
