//! A caller that sends exactly the bytes it is given.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::PATIENCE;
use super::upstream::{end_of_chunks, find, values};

/// One connection.
pub(crate) struct Client {
    stream: Box<dyn Wire>,
    tcp: TcpStream,
    buffer: Vec<u8>,
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Status line and headers, without the empty line.
    pub(crate) head: String,
    /// Without framing.
    pub(crate) body: Vec<u8>,
    /// With framing, trailers too.
    pub(crate) raw_body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let tcp = open(address);
        Self { stream: Box::new(tcp.try_clone().unwrap()), tcp, buffer: Vec::new() }
    }

    /// With a small receive buffer, so that what is not read stays with the gateway soon.
    pub(crate) fn connect_slow(address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        let tcp: TcpStream = socket.into();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: Box::new(tcp.try_clone().unwrap()), tcp, buffer: Vec::new() }
    }

    /// Over TLS, asking for `name`.
    pub(crate) fn connect_tls(address: SocketAddr, name: &str, config: Arc<ClientConfig>) -> Self {
        Self::connect_tls_after(b"", address, name, config)
    }

    /// TLS begins after these bytes.
    pub(crate) fn connect_tls_after(bytes: &[u8], address: SocketAddr, name: &str, config: Arc<ClientConfig>) -> Self {
        let mut tcp = open(address);
        tcp.write_all(bytes).unwrap();
        let session = ClientConnection::new(config, ServerName::try_from(name.to_owned()).unwrap()).unwrap();
        let stream = StreamOwned::new(session, tcp.try_clone().unwrap());
        Self { stream: Box::new(stream), tcp, buffer: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    /// Fails when the gateway has closed the connection.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Response {
        let head_only = request.as_ref().starts_with(b"HEAD ");
        self.send(request);
        self.response(head_only)
    }

    /// `METHOD target` with `Host` and the header lines (each with its line end), without body.
    pub(crate) fn simple(&mut self, request: &str, lines: &str) -> Response {
        self.ask(format!("{request} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n"))
    }

    /// Reads one answer. `head_only`: it answers a `HEAD`.
    pub(crate) fn response(&mut self, head_only: bool) -> Response {
        self.try_response(head_only).expect("the gateway closed the connection within an answer")
    }

    /// `None` when the connection ends before the answer does.
    pub(crate) fn try_response(&mut self, head_only: bool) -> Option<Response> {
        let end = self.fill_until(|buffer| find(buffer, b"\r\n\r\n"))?;
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        self.buffer.drain(..end + 4);
        let status: u16 = head[9..12].parse().unwrap();
        let empty = head_only || status / 100 == 1 || status == 204 || status == 304;
        let (raw_body, body) = if empty {
            (Vec::new(), Vec::new())
        } else if !values(&head, "transfer-encoding").is_empty() {
            let end = self.fill_until(end_of_chunks)?;
            let raw: Vec<u8> = self.buffer.drain(..end).collect();
            let body = unchunked(&raw);
            (raw, body)
        } else if let Some(length) = values(&head, "content-length").first() {
            let length: usize = length.parse().unwrap();
            self.fill_until(|buffer| (buffer.len() >= length).then_some(length))?;
            let body: Vec<u8> = self.buffer.drain(..length).collect();
            (body.clone(), body)
        } else {
            while self.read_more() {}
            let body = std::mem::take(&mut self.buffer);
            (body.clone(), body)
        };
        Some(Response { status, head, body, raw_body })
    }

    /// Reads until `done` finds what it looks for; `None` when the connection ends first.
    pub(crate) fn fill_until(&mut self, done: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        loop {
            if let Some(end) = done(&self.buffer) {
                return Some(end);
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    /// Everything until the gateway closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.read_more() {}
        std::mem::take(&mut self.buffer)
    }

    /// Whether the gateway closes the connection without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.read_more()
    }

    pub(crate) fn close(self) {
        let _ = self.tcp.shutdown(Shutdown::Both);
    }

    fn read_more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return false,
                Ok(count) => {
                    self.buffer.extend_from_slice(&chunk[..count]);
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    panic!("the gateway sent nothing for {PATIENCE:?}")
                }
                Err(_) => return false,
            }
        }
    }
}

impl Response {
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        values(&self.head, name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        match self.values(name).as_slice() {
            [] => None,
            [one] => Some(one),
            several => panic!("{name} came {} times", several.len()),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

fn open(address: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp
}

fn unchunked(raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let line = find(&raw[at..], b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&raw[at..at + line]).unwrap(), 16).unwrap();
        at += line + 2;
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&raw[at..at + size]);
        at += size + 2;
    }
}
