//! The server of an issuer's key set, over TLS on a free port.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::signing::{elliptic, public_point, sign_elliptic};
use crate::harness::Certificates;

/// A key of the issuer.
pub(super) struct IssuerKey {
    pub(super) id: String,
    pair: EcdsaKeyPair,
}

impl IssuerKey {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), pair: elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING) }
    }

    pub(super) fn public(&self) -> Value {
        public_point("P-256", &self.id, &self.pair)
    }

    /// A bearer token with these claims.
    pub(super) fn bearer(&self, claims: &Value) -> String {
        self.bearer_as(Some(&self.id), claims)
    }

    /// The same under another `kid`, or none.
    pub(super) fn bearer_as(&self, id: Option<&str>, claims: &Value) -> String {
        let mut header = json!({ "alg": "ES256" });
        if let Some(id) = id {
            header["kid"] = id.into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        format!("Bearer {message}.{}", sign_elliptic(&self.pair, message.as_bytes()))
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Closes the connection.
    Down,
    /// Waits for another answer.
    Held,
}

pub(super) struct KeyServer {
    pub(super) port: u16,
    pub(super) certificates: Certificates,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    answer: Answer,
    /// Requests so far, and the head of the last one.
    requests: usize,
    head: String,
}

impl KeyServer {
    pub(super) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificates = Certificates::for_names(&["localhost", "127.0.0.1"]);
        let config = certificates.server(&["http/1.1"]);
        let state = Mutex::new(State { answer, requests: 0, head: String::new() });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(StreamOwned::new(session, stream)));
            }
        });
        Self { port, certificates, shared }
    }

    pub(super) fn publishing(keys: &[&IssuerKey]) -> Self {
        Self::start(set_of(keys))
    }

    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}/jwks.json?of=mlgate", self.port)
    }

    pub(super) fn publish(&self, keys: &[&IssuerKey]) {
        self.answer(set_of(keys));
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.shared.state().answer = answer;
        self.shared.changed.notify_all();
    }

    pub(super) fn requests(&self) -> usize {
        self.shared.state().requests
    }

    pub(super) fn last_head(&self) -> String {
        self.shared.state().head.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: StreamOwned<ServerConnection, std::net::TcpStream>) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let mut state = self.state();
        state.requests += 1;
        state.head = String::from_utf8(head).unwrap();
        while matches!(state.answer, Answer::Held) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let answer = state.answer.clone();
        drop(state);
        if let Answer::Bytes(bytes) = answer {
            // A gateway that gave up has closed already.
            let _ = stream.write_all(&bytes);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }
}

/// The answer with the key set.
pub(super) fn set_of(keys: &[&IssuerKey]) -> Answer {
    let public: Vec<Value> = keys.iter().map(|key| key.public()).collect();
    answer_of("200 OK", "", &json!({ "keys": public }).to_string())
}

/// `headers`: lines with their ends.
pub(super) fn answer_of(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes())
}
