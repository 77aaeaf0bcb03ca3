//! The two requests by which a cluster is asked about one credential.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use tokio::time::{Duration, Instant};

use super::answer::{self, Odd};
use super::{Cluster, Verdict};
use crate::policy::{Account, ClusterRights, Principal, RealmRef, Rights};
use crate::upstream::UpstreamError;

const RUN_AS: HeaderName = HeaderName::from_static("es-security-runas-user");
const CLIENT_SECRET: HeaderName = HeaderName::from_static("es-client-authentication");
const AUTHENTICATE: &str = "/_security/_authenticate";
const HAS_PRIVILEGES: &str = "/_security/user/_has_privileges";

/// How often a request is sent when a node cannot be reached, each time to the next node.
const ATTEMPTS: usize = 3;
/// How long one request may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// An answer has some kilobytes; metadata of users may add to it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Everything that the cluster is shown.
pub(super) struct Question {
    pub(super) cluster: Cluster,
    /// Name of the realm.
    pub(super) realm: Arc<str>,
    /// Marked sensitive.
    pub(super) authorization: HeaderValue,
    /// Marked sensitive.
    pub(super) client_secret: Option<HeaderValue>,
    pub(super) run_as: Option<HeaderValue>,
    /// The user name of Basic credentials.
    pub(super) username: Option<String>,
}

/// Why there is no answer to rely on.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("the cluster answered with status [{0}]")]
    Status(u16),
    #[error("the answer is not relied on: {0}")]
    Odd(#[from] Odd),
}

impl Question {
    /// Asks until there is an answer or no hope of one.
    pub(super) async fn ask(self) -> Verdict {
        match self.try_ask().await {
            Ok(verdict) => verdict,
            Err(unanswered) => {
                let (cluster, realm) = (self.cluster.name(), &*self.realm);
                // The health check tells of a cluster that is down, once.
                if !matches!(unanswered, Unanswered::Upstream(UpstreamError::NoHealthyNode)) {
                    tracing::warn!(cluster, realm, error = %unanswered, "the cluster does not say who a caller is");
                }
                Verdict::Unknown
            }
        }
    }

    async fn try_ask(&self) -> Result<Verdict, Unanswered> {
        let reply = self.send(Method::GET, AUTHENTICATE, Bytes::new()).await?;
        match reply.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Ok(refused(&reply)),
            StatusCode::FORBIDDEN => return Ok(forbidden(&reply)),
            other => return Err(Unanswered::Status(other.as_u16())),
        }
        let caller = answer::caller(reply.body())?;
        if caller.anonymous {
            // Credentials that the cluster passes over; here they are wrong.
            return Ok(Verdict::Refused { detail: None });
        }
        if self.run_as.as_ref().is_some_and(|name| latin1(name) != caller.username) {
            return Err(Odd::OtherUser.into());
        }
        let account = match (caller.account, &self.run_as, &self.username) {
            (Account::User, Some(_), Some(by)) => Account::RunAs { by: by.clone() },
            (account, _, _) => account,
        };
        Ok(match self.rights(&caller.username, account).await? {
            Err(refusal) => refusal,
            Ok(rights) => Verdict::Known(Rc::new(Principal {
                username: caller.username,
                realm: RealmRef { name: self.realm.to_string(), kind: "elasticsearch" },
                roles: caller.roles,
                rights: Rights::Cluster(rights),
                groups: Vec::new(),
                full_name: None,
                email: None,
                metadata: std::collections::BTreeMap::new(),
            })),
        })
    }

    /// A cluster that does not know a privilege refuses the whole question: it is then asked without those that only
    /// newer ones have.
    async fn rights(&self, username: &str, account: Account) -> Result<Result<ClusterRights, Verdict>, Unanswered> {
        for with_exact in [true, false] {
            let question = Bytes::from(answer::privileges_question(with_exact));
            let reply = self.send(Method::POST, HAS_PRIVILEGES, question).await?;
            match reply.status() {
                StatusCode::OK => return Ok(Ok(answer::rights(reply.body(), username, account, with_exact)?)),
                // It has expired meanwhile.
                StatusCode::UNAUTHORIZED => return Ok(Err(refused(&reply))),
                StatusCode::BAD_REQUEST if with_exact => {}
                other => return Err(Unanswered::Status(other.as_u16())),
            }
        }
        Err(Unanswered::Status(StatusCode::BAD_REQUEST.as_u16()))
    }

    /// Both requests only read, so that they may be sent again.
    async fn send(&self, method: Method, path: &'static str, body: Bytes) -> Result<Response<Bytes>, Unanswered> {
        let mut last = Unanswered::Upstream(UpstreamError::NoHealthyNode);
        for _ in 0..ATTEMPTS {
            let deadline = (Instant::now() + ANSWER_TIME_MAX).into_std();
            let request = self.request(method.clone(), path, body.clone());
            match self.cluster.client.request_within(request, deadline, ANSWER_BYTES_MAX).await {
                Ok(reply) if is_of_the_node(reply.status()) => last = Unanswered::Status(reply.status().as_u16()),
                Ok(reply) => return Ok(reply),
                Err(
                    error @ (UpstreamError::Connect { .. }
                    | UpstreamError::ConnectTimeout { .. }
                    | UpstreamError::Broken { .. }),
                ) => last = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last)
    }

    fn request(&self, method: Method, path: &'static str, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        if !request.body().is_empty() {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_static(path);
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        if let Some(name) = &self.run_as {
            headers.insert(RUN_AS, name.clone());
        }
        if let Some(secret) = &self.client_secret {
            headers.insert(CLIENT_SECRET, secret.clone());
        }
        request
    }
}

/// Another node may answer.
const fn is_of_the_node(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

fn refused(reply: &Response<Bytes>) -> Verdict {
    Verdict::Refused { detail: answer::refusal_detail(reply.body()) }
}

fn forbidden(reply: &Response<Bytes>) -> Verdict {
    let reason = answer::denial_reason(reply.body());
    Verdict::Forbidden { reason: reason.unwrap_or_else(|| "the cluster refuses these credentials".to_owned()) }
}

/// As Elasticsearch reads the bytes of a header.
fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}
