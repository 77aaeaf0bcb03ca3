//! The id of a request, as `X-Request-Id` and in the audit trail.

use std::cell::Cell;
use std::fmt;

use http::HeaderValue;

/// 24 hexadecimal digits: 16 random ones of the worker, 8 counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    prefix: u64,
    count: u32,
}

/// Gives each request of a worker its id.
pub(super) struct RequestIds {
    prefix: u64,
    next: Cell<u32>,
}

impl RequestIds {
    /// Without random bytes every worker counts from the same prefix: ids are for finding log lines, nothing relies on
    /// them being unique.
    pub(super) fn new() -> Self {
        let mut prefix = [0_u8; 8];
        let _ = aws_lc_rs::rand::fill(&mut prefix);
        Self { prefix: u64::from_ne_bytes(prefix), next: Cell::new(0) }
    }

    pub(super) fn next(&self) -> RequestId {
        let count = self.next.get();
        self.next.set(count.wrapping_add(1));
        RequestId { prefix: self.prefix, count }
    }
}

impl RequestId {
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.digits()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn digits(self) -> [u8; 24] {
        let bits = (u128::from(self.prefix) << 32) | u128::from(self.count);
        std::array::from_fn(|index| {
            let nibble = (bits >> (4 * (23 - index))) & 0xf;
            *b"0123456789abcdef".get(usize::try_from(nibble).unwrap_or(0)).unwrap_or(&b'0')
        })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}{:08x}", self.prefix, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_text_are_the_same() {
        let ids = RequestIds::new();
        let first = ids.next();
        assert_eq!(first.header().to_str().unwrap(), first.to_string());
        assert_ne!(first, ids.next());
        assert_eq!(first.to_string().len(), 24);
    }
}
