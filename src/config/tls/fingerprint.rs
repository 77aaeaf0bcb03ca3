//! The SHA-256 of a certificate.

use aws_lc_rs::digest::{SHA256, digest};

const LENGTH: usize = 32;

/// SHA-256 over the DER form of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Fingerprint([u8; LENGTH]);

impl Fingerprint {
    /// Takes 64 hexadecimal digits, with or without `:` between pairs, in either case, as openssl and Elasticsearch print
    /// them.
    pub(in crate::config) fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.trim().bytes().filter(|byte| *byte != b':').collect();
        if digits.len() != 2 * LENGTH {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// Whether it is the fingerprint of this certificate.
    pub(super) fn is_of(&self, der: &[u8]) -> bool {
        digest(&SHA256, der).as_ref() == self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_notations() {
        // SHA-256 of the empty text.
        let plain = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let colons = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
        for text in [plain, colons] {
            assert!(Fingerprint::parse(text).unwrap().is_of(b""), "{text}");
            assert!(!Fingerprint::parse(text).unwrap().is_of(b"x"), "{text}");
        }
        for text in ["", "e3b0", &plain.replace('e', "g"), &format!("{plain}00")] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
