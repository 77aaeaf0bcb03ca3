//! A node that keeps every byte it gets and answers as the test says.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::PATIENCE;

/// A listening node. Each connection runs the test's script in a thread of its own.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    requests: Mutex<Receiver<Request>>,
    connections: Mutex<Receiver<usize>>,
    down: Arc<Down>,
}

/// Whether nobody listens; and the connections that there were.
#[derive(Default)]
struct Down {
    state: Mutex<(bool, Vec<TcpStream>)>,
    changed: Condvar,
}

/// One request as it came, byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
    /// Up to and with the empty line.
    pub(crate) head: String,
    /// The body with its framing.
    pub(crate) body: Vec<u8>,
}

/// One connection, in the hands of a script.
pub(crate) struct Exchange {
    /// From 0.
    pub(crate) connection: usize,
    stream: TcpStream,
    buffer: Vec<u8>,
    record: Sender<Request>,
}

pub(crate) const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

impl Upstream {
    /// Answers every request with [`OK`].
    pub(crate) fn answering() -> Self {
        Self::scripted(|exchange| while exchange.request().is_some() && exchange.send(OK) {})
    }

    /// Runs `script` for each connection.
    pub(crate) fn scripted(script: impl Fn(&mut Exchange) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (record, requests) = channel();
        let (opened, connections) = channel();
        let (script, down) = (Arc::new(script), Arc::new(Down::default()));
        let listening = Arc::clone(&down);
        thread::spawn(move || {
            let mut listener = Some(listener);
            for connection in 0.. {
                let Some(stream) = listening.accept(&mut listener, address) else { return };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
                if opened.send(connection).is_err() {
                    return;
                }
                let (script, record) = (Arc::clone(&script), record.clone());
                let mut exchange = Exchange { connection, stream, buffer: Vec::new(), record };
                thread::spawn(move || script(&mut exchange));
            }
        });
        Self { address, requests: Mutex::new(requests), connections: Mutex::new(connections), down }
    }

    /// Ends every connection and refuses new ones, until [`Upstream::come_back`].
    pub(crate) fn go_down(&self) {
        for stream in self.down.set(true) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts. Once nobody listens, it is refused.
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }

    /// Listens again at the same address.
    pub(crate) fn come_back(&self) {
        self.down.set(false);
    }

    /// The next request that came whole, as [`Exchange::request`] records it.
    pub(crate) fn next_request(&self) -> Request {
        self.requests.lock().unwrap().recv_timeout(PATIENCE).expect("no request came to the node")
    }

    /// Waits for a request to `path`; passes over others.
    pub(crate) fn await_request(&self, path: &str) -> Request {
        loop {
            let request = self.next_request();
            if request.line().split([' ', '?']).nth(1) == Some(path) {
                return request;
            }
        }
    }

    /// A request that has come already.
    pub(crate) fn try_request(&self) -> Option<Request> {
        self.requests.lock().unwrap().try_recv().ok()
    }

    /// Waits until the next connection is opened; its number.
    pub(crate) fn next_connection(&self) -> usize {
        self.connections.lock().unwrap().recv_timeout(PATIENCE).expect("no connection came to the node")
    }

    /// Nothing has come so far. Ask after something else is known to have happened.
    pub(crate) fn has_nothing(&self) -> bool {
        match self.requests.lock().unwrap().recv_timeout(std::time::Duration::ZERO) {
            Ok(_) => false,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => true,
        }
    }
}

impl Down {
    fn set(&self, down: bool) -> Vec<TcpStream> {
        let mut state = self.state.lock().unwrap();
        state.0 = down;
        self.changed.notify_all();
        std::mem::take(&mut state.1)
    }

    /// The next connection; while it is down nobody listens.
    fn accept(&self, listener: &mut Option<TcpListener>, address: SocketAddr) -> Option<TcpStream> {
        loop {
            let accepted = match listener {
                Some(listener) => listener.accept().ok()?.0,
                None => {
                    drop(self.changed.wait_while(self.state.lock().unwrap(), |state| state.0).unwrap());
                    *listener = Some(TcpListener::bind(address).unwrap());
                    continue;
                }
            };
            let mut state = self.state.lock().unwrap();
            if !state.0 {
                state.1.extend(accepted.try_clone());
                return Some(accepted);
            }
            *listener = None;
        }
    }
}

impl Request {
    /// `METHOD target HTTP/1.1`
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of a header, in their order.
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
}

/// The values of a header of a head.
pub(crate) fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

impl Exchange {
    /// Reads a whole request and records it. `None` when the gateway has closed the connection, or broke off.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let head = self.head()?;
        let body = self.body(&head)?;
        let request = Request { connection: self.connection, head, body };
        let _ = self.record.send(request.clone());
        Some(request)
    }

    /// Reads a head.
    pub(crate) fn head(&mut self) -> Option<String> {
        let end = self.fill_until(|buffer| find(buffer, b"\r\n\r\n").map(|at| at + 4))?;
        Some(String::from_utf8(self.buffer.drain(..end).collect()).unwrap())
    }

    /// Reads a body with its framing, as the head frames it.
    pub(crate) fn body(&mut self, head: &str) -> Option<Vec<u8>> {
        if !values(head, "transfer-encoding").is_empty() {
            let end = self.fill_until(end_of_chunks)?;
            return Some(self.buffer.drain(..end).collect());
        }
        let length: usize = values(head, "content-length").first().map_or(0, |value| value.parse().unwrap());
        self.fill_until(|buffer| (buffer.len() >= length).then_some(length))?;
        Some(self.buffer.drain(..length).collect())
    }

    /// Reads until at least `count` more bytes are there, and takes all that are. `None` at the end.
    pub(crate) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        self.fill_until(|buffer| (buffer.len() >= count).then_some(0))?;
        Some(std::mem::take(&mut self.buffer))
    }

    /// Reads on until the gateway closes; everything that came.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.read_more() {}
        std::mem::take(&mut self.buffer)
    }

    /// False when the gateway has closed the connection.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// From here on [`Exchange::send_some`] does not wait.
    pub(crate) fn no_wait(&mut self) {
        self.stream.set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    }

    /// How many of the bytes the gateway took; none when it takes no more for a while.
    pub(crate) fn send_some(&mut self, bytes: &[u8]) -> usize {
        self.stream.write(bytes).unwrap_or(0)
    }

    /// From here on sending waits again.
    pub(crate) fn wait_writable(&mut self) {
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    }

    pub(crate) fn close(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn fill_until(&mut self, done: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        loop {
            if let Some(end) = done(&self.buffer) {
                return Some(end);
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    fn read_more(&mut self) -> bool {
        let mut chunk = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return false,
                Ok(count) => {
                    self.buffer.extend_from_slice(&chunk[..count]);
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}

pub(crate) fn find(buffer: &[u8], wanted: &[u8]) -> Option<usize> {
    buffer.windows(wanted.len()).position(|window| window == wanted)
}

/// Where a chunked body ends, with its trailers.
pub(crate) fn end_of_chunks(buffer: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(&buffer[at..], b"\r\n")?;
        let size = std::str::from_utf8(&buffer[at..at + line]).unwrap();
        let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
        at += line + 2;
        if size == 0 {
            loop {
                let line = find(&buffer[at..], b"\r\n")?;
                at += line + 2;
                if line == 0 {
                    return Some(at);
                }
            }
        }
        at += size + 2;
        if buffer.len() < at {
            return None;
        }
    }
}
