//! gzip, a piece at a time and with a limit.

use std::io::Write as _;

use flate2::write::GzDecoder;

use super::Unread;

/// One gzip stream on its way. What follows its end is refused: parsers differ on whether it counts.
pub(super) struct Inflate {
    /// Writes at most 32 KiB at a time.
    decoder: GzDecoder<Vec<u8>>,
    /// Bytes of text that may still come.
    left: usize,
}

impl Inflate {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { decoder: GzDecoder::new(Vec::new()), left: bytes_max }
    }

    /// Takes some of `wire`, hands the text that this gives to `read`, and says how many bytes it took. With nothing to
    /// take it gives the text of all that came before.
    ///
    /// # Errors
    /// What `read` says; no gzip; more text than allowed.
    pub(super) fn step<E: From<Unread>>(
        &mut self,
        wire: &[u8],
        read: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let taken = if wire.is_empty() {
            self.decoder.flush().map(|()| 0)
        } else {
            // Nothing taken: the stream is over.
            self.decoder.write(wire).and_then(|taken| if taken == 0 { Err(end()) } else { Ok(taken) })
        };
        let taken = taken.map_err(|_| Unread::MalformedGzip)?;
        let text = self.decoder.get_mut();
        self.left = self.left.checked_sub(text.len()).ok_or(Unread::Inflated)?;
        let result = read(text);
        text.clear();
        result.map(|()| taken)
    }

    /// # Errors
    /// The stream is not whole, or not what its checksum says.
    pub(super) fn end(&mut self) -> Result<(), Unread> {
        self.decoder.try_finish().map_err(|_| Unread::MalformedGzip)
    }
}

fn end() -> std::io::Error {
    std::io::ErrorKind::InvalidData.into()
}

/// The text of a whole stream.
///
/// # Errors
/// As [`Inflate::step`] and [`Inflate::end`].
pub(super) fn inflate_whole(wire: &[u8], bytes_max: usize) -> Result<Vec<u8>, Unread> {
    let mut inflate = Inflate::new(bytes_max);
    let mut whole = Vec::new();
    let mut rest = wire;
    loop {
        let taken = inflate.step(rest, |text| {
            whole.extend_from_slice(text);
            Ok::<_, Unread>(())
        })?;
        if rest.is_empty() {
            inflate.end()?;
            return Ok(whole);
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_stream_is_read_whole_and_up_to_the_limit() {
        let text = b"a line of text\n".repeat(10_000);
        let wire = gzip(&text);
        assert_eq!(inflate_whole(&wire, text.len()).as_deref(), Ok(&*text));
        assert_eq!(inflate_whole(&wire, text.len() - 1), Err(Unread::Inflated));
        assert_eq!(inflate_whole(&gzip(b""), 0).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn what_is_not_exactly_one_stream_is_refused() {
        let wire = gzip(b"{}");
        let mut wrong_sum = wire.clone();
        *wrong_sum.iter_mut().nth_back(5).unwrap() ^= 1;
        let twice = [&*wire, &*wire].concat();
        let behind = [&*wire, b"x"].concat();
        let cut = &wire[..wire.len() - 1];
        for wrong in [&*wrong_sum, &*twice, &*behind, cut, &wire[..5], b"{}", b""] {
            assert_eq!(inflate_whole(wrong, 100), Err(Unread::MalformedGzip), "{wrong:?}");
        }
    }
}
