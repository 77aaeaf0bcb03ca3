//! `_doc` and `_create`: one document.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::search_body::source_filter;
use super::{route, write_options};
use crate::node::Node;
use crate::node::documents::source_filter::filtered;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::Route;
use crate::node::store::{Batch, DocumentWrite, Expected, Operation, Outcome, Source, WriteKind, Written};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(POST "/{index}/_doc" "indices:data/write/index" ["op_type", "refresh", "require_alias", "routing", "timeout", "wait_for_active_shards"] => index),
        route!(PUT "/{index}/_doc/{id}" "indices:data/write/index" ["if_primary_term", "if_seq_no", "op_type", "refresh", "routing", "timeout", "wait_for_active_shards"] => index),
        route!(POST "/{index}/_doc/{id}" "indices:data/write/index" ["if_primary_term", "if_seq_no", "op_type", "refresh", "routing", "timeout", "wait_for_active_shards"] => index),
        route!(PUT "/{index}/_create/{id}" "indices:data/write/index" ["refresh", "routing", "timeout", "wait_for_active_shards"] => create),
        route!(POST "/{index}/_create/{id}" "indices:data/write/index" ["refresh", "routing", "timeout", "wait_for_active_shards"] => create),
        route!(GET "/{index}/_doc/{id}" "indices:data/read/get" ["_source", "_source_excludes", "_source_includes", "preference", "realtime", "refresh", "routing"] => get),
        route!(HEAD "/{index}/_doc/{id}" "indices:data/read/get" ["_source", "_source_excludes", "_source_includes", "preference", "realtime", "refresh", "routing"] => get),
        route!(GET "/{index}/_source/{id}" "indices:data/read/get" ["_source", "_source_excludes", "_source_includes", "preference", "realtime", "refresh", "routing"] => get_source),
        route!(DELETE "/{index}/_doc/{id}" "indices:data/write/delete" ["if_primary_term", "if_seq_no", "refresh", "routing", "timeout", "wait_for_active_shards"] => delete),
    ]
}

fn parameter<'a>(request: &'a Request, name: &str) -> &'a str {
    request.parameters.get(name).map_or("", String::as_str)
}

async fn index(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let kind = match request.query.text("op_type") {
        None | Some("index") if request.parameters.contains_key("id") => WriteKind::Index,
        None | Some("index" | "create") => WriteKind::Create,
        Some(other) => {
            return Err(ApiError::illegal_argument(format!("opType must be 'create' or 'index', found: [{other}]")));
        }
    };
    write(&node, &request, kind).await
}

async fn create(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    write(&node, &request, WriteKind::Create).await
}

async fn write(node: &Node, request: &Request, kind: WriteKind) -> Result<Reply, ApiError> {
    let index = parameter(request, "index").to_owned();
    request.access.check("indices:data/write/index", &[&index])?;
    if node.core.store.catalogue().write_target(&index).is_none() {
        request.access.check("indices:admin/auto_create", &[&index])?;
    }
    write_options::check(&request.query)?;
    if request.body.is_empty() {
        return Err(ApiError::validation(&["source is missing".to_owned()]));
    }
    let id = request.parameters.get("id").cloned();
    if id.as_deref() == Some("") {
        return Err(ApiError::illegal_argument("if _id is specified it must not be empty"));
    }
    let source = Source::parse(request.body.clone())?;
    let write = DocumentWrite { kind, expected: expected(request)?, ..DocumentWrite::new(index, id, source) };
    let outcome = one(node, Operation::Write(write)).await?;
    let status = if matches!(outcome, Outcome::Created(_)) { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::with_status(status, shown(&outcome)))
}

async fn delete(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let (index, id) = (parameter(&request, "index").to_owned(), parameter(&request, "id").to_owned());
    request.access.check("indices:data/write/delete", &[&index])?;
    request.without_body()?;
    write_options::check(&request.query)?;
    let outcome = one(&node, Operation::Delete { index, id, expected: expected(&request)? }).await?;
    let status = if matches!(outcome, Outcome::NotFound(_)) { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok(Reply::with_status(status, shown(&outcome)))
}

async fn one(node: &Node, operation: Operation) -> Result<Outcome, ApiError> {
    let mut batch = Batch::new();
    batch.push(operation);
    let mut outcomes = node.core.store.commit(batch).await?.all()?;
    // One operation has one outcome.
    Ok(outcomes.pop().unwrap_or(Outcome::Done))
}

/// `if_seq_no` with `if_primary_term`.
fn expected(request: &Request) -> Result<Expected, ApiError> {
    if request.query.text("routing").is_some() {
        return Err(ApiError::illegal_argument("[routing] is not supported by this node"));
    }
    let number = |name: &str| -> Result<Option<u64>, ApiError> {
        let Some(number) = request.query.integer(name)? else { return Ok(None) };
        u64::try_from(number)
            .map(Some)
            .map_err(|_| ApiError::illegal_argument(format!("sequence numbers must be non negative. got [{number}].")))
    };
    match (number("if_seq_no")?, number("if_primary_term")?) {
        (None, None) => Ok(Expected::Any),
        (Some(seq_no), Some(primary_term)) => Ok(Expected::SequenceNumber { seq_no, primary_term }),
        (Some(_), None) => Err(ApiError::validation(&["ifSeqNo is set, but primary term is [0]".to_owned()])),
        (None, Some(term)) => {
            Err(ApiError::validation(&[format!("ifSeqNo is unassigned, but primary term is [{term}]")]))
        }
    }
}

/// The answer to a write, and the item of `_bulk`.
pub(super) fn shown(outcome: &Outcome) -> Value {
    let (result, written) = match outcome {
        Outcome::Created(written) => ("created", written),
        Outcome::Updated(written) => ("updated", written),
        Outcome::Deleted(written) => ("deleted", written),
        Outcome::NotFound(written) => ("not_found", written),
        Outcome::Done => return json!({ "acknowledged": true }),
    };
    let Written { index, id, version, seq_no, primary_term } = written;
    json!({
        "_index": index, "_id": id, "_version": version, "result": result,
        "_shards": { "total": 1, "successful": 1, "failed": 0 },
        "_seq_no": seq_no, "_primary_term": primary_term
    })
}

async fn get(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let (index, id) = (parameter(&request, "index"), parameter(&request, "id"));
    request.access.check("indices:data/read/get", &[index])?;
    let filter = source_filter(&request, None)?;
    let Some(document) = node.core.documents.get(index, id).await? else {
        return Ok(Reply::with_status(StatusCode::NOT_FOUND, json!({ "_index": index, "_id": id, "found": false })));
    };
    let mut body = json!({
        "_index": &*document.index, "_id": id, "_version": document.version, "_seq_no": document.seq_no,
        "_primary_term": document.primary_term, "found": true
    });
    if let (true, Some(members)) = (filter.enabled, body.as_object_mut()) {
        members.insert("_source".to_owned(), filtered(document.source, &filter));
    }
    Ok(Reply::json(body))
}

async fn get_source(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let (index, id) = (parameter(&request, "index"), parameter(&request, "id"));
    request.access.check("indices:data/read/get", &[index])?;
    let filter = source_filter(&request, None)?;
    match node.core.documents.get(index, id).await? {
        Some(document) => Ok(Reply::json(filtered(document.source, &filter))),
        None => Err(ApiError::not_found(format!("Document not found [{index}]/[{id}]"))),
    }
}
