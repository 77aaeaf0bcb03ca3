//! Identifiers that the store makes: 20 or 22 characters, as Elasticsearch's.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 22 random characters.
pub fn uuid() -> String {
    URL_SAFE_NO_PAD.encode(random::<16>())
}

/// 20 characters, the time first, so that new documents lie side by side.
pub fn document_id(now_ms: i64) -> String {
    let mut bytes = [0; 15];
    let time = now_ms.to_be_bytes().into_iter().skip(2);
    for (place, byte) in bytes.iter_mut().zip(time.chain(random::<9>())) {
        *place = byte;
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's source of randomness fails on no platform that the node runs on; zeros would only make names collide,
    // which a create then refuses.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_new_each_time() {
        assert_ne!(uuid(), uuid());
        assert_eq!(uuid().len(), 22);
        assert_ne!(document_id(5), document_id(5));
        assert_eq!(document_id(5).len(), 20);
    }
}
