//! Stage 2, before TLS: the PROXY protocol, versions 1 and 2, in which a proxy in front says whose connection it passes on.
//!
//! Source: HAProxy, `doc/proxy-protocol.txt`. Extensions (TLVs) are skipped: what a proxy says of a certificate proves nothing
//! to us.

use std::net::SocketAddr;
use std::time::Duration;

use ppp::{v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Both versions are at least as long; version 2 is told from 1 by them.
const FIRST_BYTES: usize = v2::PROTOCOL_PREFIX.len();
/// The part of version 2 that says how long the rest is.
const FIXED_BYTES: usize = 16;
/// Of the rest: addresses, and extensions with a certificate or two.
const REST_BYTES_MAX: usize = 8 * 1024;
/// Of a line of version 1, by its specification.
const LINE_BYTES_MAX: usize = 107;

/// Why nothing is served over a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unproxied {
    #[error("no header of the PROXY protocol came in time")]
    TooLate,
    #[error("the header of the PROXY protocol broke off")]
    Broken(#[from] std::io::Error),
    #[error("not a header of the PROXY protocol")]
    Unreadable,
    #[error("a header of the PROXY protocol of [{bytes}] bytes")]
    TooLong { bytes: usize },
}

/// Reads the header and not a byte more. `None`: the proxy speaks for itself, or does not know the address.
///
/// # Errors
/// [`Unproxied`]; there is nobody to tell.
pub(super) async fn origin(
    stream: &mut (impl AsyncRead + Unpin),
    limit: Duration,
) -> Result<Option<SocketAddr>, Unproxied> {
    tokio::time::timeout(limit, read(stream)).await.map_err(|_| Unproxied::TooLate)?
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, Unproxied> {
    let mut header = vec![0; FIRST_BYTES];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        header.resize(FIXED_BYTES, 0);
        stream.read_exact(header.get_mut(FIRST_BYTES..).unwrap_or_default()).await?;
        let bytes = match header.get(FIXED_BYTES - 2..) {
            Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        if bytes > REST_BYTES_MAX {
            return Err(Unproxied::TooLong { bytes });
        }
        header.resize(FIXED_BYTES + bytes, 0);
        stream.read_exact(header.get_mut(FIXED_BYTES..).unwrap_or_default()).await?;
        return of_version_2(&header);
    }
    if !header.starts_with(b"PROXY ") {
        return Err(Unproxied::Unreadable);
    }
    // Byte by byte: what follows the line is not ours to read.
    while header.last() != Some(&b'\n') {
        if header.len() == LINE_BYTES_MAX {
            return Err(Unproxied::TooLong { bytes: LINE_BYTES_MAX + 1 });
        }
        header.push(stream.read_u8().await?);
    }
    of_version_1(&header)
}

fn of_version_1(line: &[u8]) -> Result<Option<SocketAddr>, Unproxied> {
    // Signs before a port, tabs and the like.
    let odd = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b' ' | b'.' | b':' | b'\r' | b'\n');
    if line.iter().any(odd) || !line.ends_with(b"\r\n") {
        return Err(Unproxied::Unreadable);
    }
    let header = v1::Header::try_from(line).map_err(|_| Unproxied::Unreadable)?;
    if header.header.len() != line.len() {
        return Err(Unproxied::Unreadable);
    }
    Ok(match header.addresses {
        v1::Addresses::Tcp4(ends) => Some((ends.source_address, ends.source_port).into()),
        v1::Addresses::Tcp6(ends) => Some((ends.source_address, ends.source_port).into()),
        v1::Addresses::Unknown => None,
    })
}

fn of_version_2(header: &[u8]) -> Result<Option<SocketAddr>, Unproxied> {
    let header = v2::Header::try_from(header).map_err(|_| Unproxied::Unreadable)?;
    match (header.command, header.addresses, header.protocol) {
        (v2::Command::Local, _, _) => Ok(None),
        (_, v2::Addresses::IPv4(ends), v2::Protocol::Stream) => {
            Ok(Some((ends.source_address, ends.source_port).into()))
        }
        (_, v2::Addresses::IPv6(ends), v2::Protocol::Stream) => {
            Ok(Some((ends.source_address, ends.source_port).into()))
        }
        (_, v2::Addresses::Unix(_), v2::Protocol::Stream) | (_, v2::Addresses::Unspecified, _) => Ok(None),
        // No TCP connection is a datagram.
        _ => Err(Unproxied::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    /// What a stream gives that has these bytes and ends, and how many are left.
    fn of(bytes: &[u8]) -> (Result<Option<SocketAddr>, String>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut left = bytes;
        let read = runtime.block_on(origin(&mut left, NOW));
        (read.map_err(|problem| problem.to_string()), left.len())
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &[command, family], &length, rest].concat()
    }

    fn address(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    const ENDS: [u8; 12] = [203, 0, 113, 7, 10, 0, 0, 1, 0x30, 0x39, 0x24, 0x1b];

    #[test]
    fn says_who_is_behind_the_proxy() {
        let mut ipv6 = [0; 36];
        ipv6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        ipv6[15] = 1;
        ipv6[33] = 80;
        let mut extended = ENDS.to_vec();
        extended.extend([0x20, 0, 5, 1, 2, 3, 4, 5]);
        let longest = b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
        let table: [(&[u8], Option<SocketAddr>); 12] = [
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 9243\r\n", address("203.0.113.7:12345")),
            (b"PROXY TCP6 2001:db8::1 2001:DB8::2 80 9243\r\n", address("[2001:db8::1]:80")),
            (b"PROXY UNKNOWN\r\n", None),
            (longest, None),
            (&version_2(0x21, 0x11, &ENDS), address("203.0.113.7:12345")),
            (&version_2(0x21, 0x11, &extended), address("203.0.113.7:12345")),
            (&version_2(0x21, 0x21, &ipv6), address("[2001:db8::1]:80")),
            (&version_2(0x20, 0x11, &ENDS), None),
            (&version_2(0x20, 0x00, &[]), None),
            (&version_2(0x21, 0x00, &[]), None),
            (&version_2(0x21, 0x31, &[0; 216]), None),
            (&version_2(0x20, 0x00, &[0; REST_BYTES_MAX]), None),
        ];
        for (header, expected) in table {
            let bytes = [header, b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(of(&bytes), (Ok(expected), 16), "{}", header.escape_ascii());
        }
    }

    #[test]
    fn anything_else_is_no_header() {
        let unreadable: [&[u8]; 22] = [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00",
            b"proxy TCP4 203.0.113.7 10.0.0.1 12345 9243\r\n",
            b"PROXY tcp4 203.0.113.7 10.0.0.1 12345 9243\r\n",
            b"PROXY  TCP4 203.0.113.7 10.0.0.1 12345 9243\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 9243\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 9243 \r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 12345\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 +12345 9243\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 012345 9243\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 65536 9243\r\n",
            b"PROXY TCP4 203.0.113.007 10.0.0.1 12345 9243\r\n",
            b"PROXY TCP4 203.0.113 10.0.0.1 12345 9243\r\n",
            b"PROXY TCP4 2001:db8::1 2001:db8::2 12345 9243\r\n",
            b"PROXY TCP6 203.0.113.7 10.0.0.1 12345 9243\r\n",
            b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 9243\rX\n",
            b"PROXY TCP4 203.0.113.7\t10.0.0.1 12345 9243\r\n",
            &version_2(0x11, 0x11, &ENDS),
            &version_2(0x22, 0x11, &ENDS),
            &version_2(0x21, 0x12, &ENDS),
            &version_2(0x21, 0x41, &ENDS),
            &version_2(0x21, 0x11, &ENDS[..11]),
        ];
        for header in unreadable {
            let said = "not a header of the PROXY protocol";
            assert_eq!(of(header).0, Err(said.to_owned()), "{}", header.escape_ascii());
        }
        let too_long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200], b"\r\n"].concat();
        assert_eq!(of(&too_long).0, Err("a header of the PROXY protocol of [108] bytes".to_owned()));
        let too_long = version_2(0x20, 0x00, &[0; REST_BYTES_MAX + 1]);
        assert_eq!(of(&too_long).0, Err("a header of the PROXY protocol of [8193] bytes".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_stays_silent_is_not_waited_for() {
        let (mut ours, theirs) = tokio::io::duplex(64);
        assert!(matches!(origin(&mut ours, NOW).await, Err(Unproxied::TooLate)));
        drop(theirs);
        assert!(matches!(origin(&mut ours, NOW).await, Err(Unproxied::Broken(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_confuse_it(
            version in 0..3,
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let begin: &[u8] = match version { 1 => b"PROXY TCP4 ", 2 => v2::PROTOCOL_PREFIX, _ => b"" };
            let _ = of(&[begin, &bytes].concat());
        }

        #[test]
        fn every_address_is_read_back(address: std::net::SocketAddr, port: u16) {
            let (family, ip) = if address.is_ipv4() { ("TCP4", address.ip()) } else { ("TCP6", address.ip()) };
            let line = format!("PROXY {family} {ip} {ip} {port} 9243\r\nx");
            prop_assert_eq!(of(line.as_bytes()), (Ok(Some(SocketAddr::new(ip, port))), 1));
        }
    }
}
