//! Requests that switch upgrade mode: the gate carries them out.

use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName};
use http::{Response, Version};

use super::admit::Admitted;
use super::peer::Addressed;
use super::reply::Reply;
use super::trail::{Outcome, Record};
use super::{hop_headers, upstream_head};
use crate::gate::SwitchRequest;
use crate::realm::{RunAs, Verified};
use crate::rejection::Rejection;

const REASON: HeaderName = HeaderName::from_static("x-mlgate-reason");
const REASON_BYTES_MAX: usize = 1024;
/// `join`: wait with a switch to the same value that is under way.
const WAIT: HeaderName = HeaderName::from_static("x-mlgate-wait");

/// Hands the request to the gate and waits for its answer; when the caller leaves, the switch goes on.
///
/// # Errors
/// 400 for a body or a bad query, 429 while another one runs, and what the gate could not do or prove.
pub(super) async fn switch(
    admitted: Admitted,
    addressed: &Rc<Addressed>,
    run_as: &RunAs,
    record: &mut Record,
) -> Result<Reply, Rejection> {
    let settings = addressed.cluster.settings().ok_or(Rejection::Internal("the cluster is gone"))?;
    let Admitted { mut received, caller, admission } = admitted;
    match received.body.has_data().await {
        Ok(false) => {}
        Ok(true) => return Err(Rejection::BodyNotSupported),
        Err(end) => return Err(received.body.state().rejection(end)),
    }
    let target = received.target().map(|target| target.as_str().to_owned()).unwrap_or_default();
    let reason = reason(&received.headers);
    record.reason.clone_from(&reason);
    let joins = received.headers.get(WAIT).is_some_and(|wait| wait == "join");
    let by = match &caller {
        Verified::Caller(principal) => principal.username.clone(),
        Verified::Nobody => return Err(Rejection::Missing),
    };
    let mut headers = upstream_head::build(received, &caller, addressed, settings, run_as)?.headers().clone();
    headers.remove(header::TRANSFER_ENCODING);
    let reply = addressed.cluster.gate.switch(SwitchRequest { target, headers, by, reason, joins }).await;
    drop(admission);
    let reply = reply.map_err(Rejection::Switch)?;
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    *response.version_mut() = Version::HTTP_11;
    hop_headers::remove(response.headers_mut());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Ok(Reply::whole(response, Outcome::Answered))
}

/// Why, as the caller says, cut to what a log line bears; for refusals, status and audit.
fn reason(headers: &HeaderMap) -> Option<String> {
    let text = std::str::from_utf8(headers.get(REASON)?.as_bytes()).ok()?;
    let cut = text.get(..text.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or(text);
    Some(cut.to_owned()).filter(|reason| !reason.is_empty())
}
