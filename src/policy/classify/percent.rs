//! Percent-decoding of segments and parameters.

use std::borrow::Cow;

/// Decodes every well-formed escape once; what is malformed stays as it is. Borrows where there is nothing to decode.
pub(in crate::policy) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'%') { Cow::Owned(decoded(text)) } else { Cow::Borrowed(text) }
}

/// As in a query, where `+` is a space.
pub(in crate::policy) fn decode_parameter(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return decode(text);
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(decoded(&spaced))
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        let escape = if *byte == b'%' { escape(tail) } else { None };
        match escape {
            Some((value, tail)) => {
                output.push(value);
                rest = tail;
            }
            None => {
                output.push(*byte);
                rest = tail;
            }
        }
    }
    output
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok().map(|value| (value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(*decode(b"a%2Fb%252f"), *b"a/b%2f");
        assert_eq!(*decode(b"%"), *b"%");
        assert_eq!(*decode(b"%4"), *b"%4");
        assert_eq!(*decode(b"%zz%41+"), *b"%zzA+");
        assert_eq!(*decode_parameter(b"a+%2B"), *b"a +");
        assert!(matches!(decode(b"plain"), Cow::Borrowed(_)));
    }
}
