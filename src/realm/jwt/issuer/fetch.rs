//! One fetch of a key set.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use tokio::time::Instant;

use super::lifetime::Lifetime;
use super::settings::IssuerSettings;
use crate::realm::jwt::keys::{KeySet, KeySetProblem};
use crate::upstream::{Node, NodeProblem, UpstreamError, request_once};

/// Largest answer that is read: a hundred keys, each with a chain of certificates.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What an issuer publishes.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// Keys of the set that cannot be used, and why.
    pub(super) unusable: Vec<KeySetProblem>,
    pub(super) lifetime: Lifetime,
}

/// Why a fetch came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchProblem {
    #[error(transparent)]
    Address(#[from] NodeProblem),
    #[error(transparent)]
    Exchange(#[from] UpstreamError),
    #[error("status [{}]: redirects are not followed", .0.as_u16())]
    Redirect(StatusCode),
    #[error("status [{}]", .0.as_u16())]
    Status(StatusCode),
    #[error(transparent)]
    KeySet(#[from] KeySetProblem),
}

/// Asks the issuer for its keys, over a connection of its own.
pub(super) async fn fetch(settings: &IssuerSettings) -> Result<Fetched, FetchProblem> {
    let node = Node::new(&settings.url.node, Some(&settings.tls.client))?;
    let deadline = Instant::now() + settings.fetch_timeout;
    let answer = request_once(&node, request(settings), ANSWER_BYTES_MAX, settings.connect_timeout, deadline).await?;
    match answer.status() {
        StatusCode::OK => {}
        status if status.is_redirection() => return Err(FetchProblem::Redirect(status)),
        status => return Err(FetchProblem::Status(status)),
    }
    let (keys, unusable) = KeySet::parse_published(answer.body())?;
    Ok(Fetched { keys, unusable, lifetime: Lifetime::read(answer.headers()) })
}

fn request(settings: &IssuerSettings) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = settings.url.target.clone().into();
    let headers = request.headers_mut();
    if let Ok(host) = settings.url.authority.parse() {
        headers.insert(header::HOST, host);
    }
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/jwk-set+json, application/json"));
    headers.insert(header::USER_AGENT, header::HeaderValue::from_static("mlgate"));
    request
}
