//! A small client for plain Elasticsearch REST, through a gateway or straight at a cluster: for the operator commands.

mod address;
mod connect;
mod error;
mod tls;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::secret::Secret;

pub use address::{Address, AddressProblem};
pub use error::ClientError;
pub use tls::{TlsProblem, TlsSettings};

const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How to reach a cluster or a gateway, and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    pub address: Address,
    pub tls: TlsSettings,
    /// The whole value of `Authorization`.
    pub authorization: Option<Secret<String>>,
    pub connect_timeout: Duration,
}

/// Why no client can be made of the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsProblem {
    #[error("TLS cannot be set up")]
    Tls(#[from] TlsProblem),
    #[error("the credentials have characters that no header can hold")]
    Credentials,
}

/// Sends whole requests and reads whole answers, at most 64 MiB. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    tls: Option<connect::Tls>,
    authorization: Option<HeaderValue>,
    connect_timeout: Duration,
    /// Idle connections; never held over an await.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

/// A whole answer of any status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// # Errors
    /// Certificates or keys that cannot be used, credentials that no header can hold.
    pub fn new(settings: &Settings) -> Result<Self, SettingsProblem> {
        let tls = settings.address.secure.then(|| connect::Tls::new(&settings.address, &settings.tls)).transpose()?;
        let authorization = settings.authorization.as_ref().map(sensitive).transpose()?;
        let (address, connect_timeout) = (settings.address.clone(), settings.connect_timeout);
        let idle = Mutex::default();
        Ok(Self { shared: Arc::new(Shared { address, tls, authorization, connect_timeout, idle }) })
    }

    /// Where requests go, without credentials.
    pub fn url(&self) -> &str {
        &self.shared.address.url
    }

    /// Reads JSON from `target` (path and query).
    ///
    /// # Errors
    /// As [`Client::ask`]; a status above 299; no JSON.
    pub async fn get(&self, target: &str, deadline: Instant) -> Result<Value, ClientError> {
        self.ask(Method::GET, target, &[], deadline).await?.json(&named(&Method::GET, target))
    }

    /// Sends a bare POST and reads JSON.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(&self, target: &str, deadline: Instant) -> Result<Value, ClientError> {
        self.ask(Method::POST, target, &[], deadline).await?.json(&named(&Method::POST, target))
    }

    /// Sends a request without a body; any status is an answer.
    ///
    /// # Errors
    /// No connection, no whole answer, or none before `deadline`.
    pub async fn ask(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, String)],
        deadline: Instant,
    ) -> Result<Answer, ClientError> {
        let name = named(&method, target);
        let request = self.request(method, target, headers, &name)?;
        let answer = timeout_at(deadline, self.exchange(request, &name)).await;
        answer.unwrap_or_else(|_| Err(ClientError::Timeout { request: name }))
    }

    fn request(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, String)],
        name: &str,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let unsendable = |_| ClientError::Unsendable { request: name.to_owned() };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.shared.address.prefix))
            .header(header::HOST, &self.shared.address.authority)
            .header(header::ACCEPT, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(authorization) = &self.shared.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.body(Full::default()).map_err(unsendable)
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>, name: &str) -> Result<Answer, ClientError> {
        let broken = |source| ClientError::Broken { request: name.to_owned(), source };
        if let Some(mut kept) = self.take_idle() {
            match kept.try_send_request(request).await {
                Ok(response) => return self.finish(kept, response, name).await,
                // Not sent: the kept connection was gone already.
                Err(mut failure) => match failure.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(failure.into_error())),
                },
            }
        }
        let shared = &self.shared;
        let stream = connect::open(&shared.address, shared.tls.as_ref(), shared.connect_timeout).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(broken)?;
        self.finish(sender, response, name).await
    }

    async fn finish(
        &self,
        sender: SendRequest<Full<Bytes>>,
        response: http::Response<hyper::body::Incoming>,
        name: &str,
    ) -> Result<Answer, ClientError> {
        let (head, body) = response.into_parts();
        #[expect(clippy::disallowed_methods, reason = "limited")]
        let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = collected.map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(source) => ClientError::Broken { request: name.to_owned(), source: *source },
            Err(_) => ClientError::TooLarge { request: name.to_owned(), limit: ANSWER_BYTES_MAX },
        })?;
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(SendRequest::is_ready);
        idle.pop()
    }
}

impl Answer {
    /// The JSON of a good answer; `request` names it in errors.
    ///
    /// # Errors
    /// A status above 299 with what the server said; no JSON.
    pub fn json(&self, request: &str) -> Result<Value, ClientError> {
        if !self.status.is_success() {
            return Err(ClientError::refused(request, self.status, &self.body));
        }
        serde_json::from_slice(&self.body).map_err(|_| ClientError::Unreadable { request: request.to_owned() })
    }
}

/// As errors name a request: without its query.
fn named(method: &Method, target: &str) -> String {
    format!("{method} {}", target.split('?').next().unwrap_or_default())
}

fn sensitive(text: &Secret<String>) -> Result<HeaderValue, SettingsProblem> {
    let mut value = HeaderValue::try_from(text.expose().as_str()).map_err(|_| SettingsProblem::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}
