//! `_bulk`: many writes, each with its own outcome.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::bulk_lines::{Action, Kind, Lines};
use super::document::shown;
use super::{route, write_options};
use crate::elasticsearch::error_body::Exception;
use crate::node::Node;
use crate::node::http::{ApiError, Body, Reply, Request};
use crate::node::router::Route;
use crate::node::store::{Batch, DocumentWrite, Expected, Operation, Outcome, Source, StoreError, WriteKind};

/// Bytes of sources, and actions, that are committed together: what a bulk holds parsed in memory.
const STEP_BYTES: usize = 4 * 1024 * 1024;
const STEP_ACTIONS: usize = 2000;
/// What an item of the answer takes in memory, roughly.
const ITEM_BYTES: usize = 1024;

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(POST "/_bulk" "indices:data/write/bulk" ["refresh", "require_alias", "timeout", "wait_for_active_shards"] => bulk).streaming(),
        route!(PUT "/_bulk" "indices:data/write/bulk" ["refresh", "require_alias", "timeout", "wait_for_active_shards"] => bulk).streaming(),
        route!(POST "/{index}/_bulk" "indices:data/write/bulk" ["refresh", "require_alias", "timeout", "wait_for_active_shards"] => bulk).streaming(),
        route!(PUT "/{index}/_bulk" "indices:data/write/bulk" ["refresh", "require_alias", "timeout", "wait_for_active_shards"] => bulk).streaming(),
    ]
}

/// What came of the actions so far.
#[derive(Default)]
struct Answer {
    items: Vec<Value>,
    errors: bool,
}

impl Answer {
    fn add(&mut self, item: Value, failed: bool) {
        self.items.push(item);
        self.errors |= failed;
    }
}

/// An action that is read: refused already, or decided by the commit.
enum Item {
    Refused(Value),
    Pending(Kind, String, Option<String>),
}

async fn bulk(node: Arc<Node>, mut request: Request) -> Result<Reply, ApiError> {
    let started = Instant::now();
    let Some(mut body) = request.stream.take() else { return Err(ApiError::empty(StatusCode::BAD_REQUEST)) };
    let written = write(&node, &request, &mut body).await;
    if written.is_err() {
        body.drain().await;
    }
    let Answer { items, errors } = written?;
    Ok(Reply::json(json!({ "errors": errors, "took": started.elapsed().as_millis(), "items": items })))
}

/// Writes a body as it comes, step by step. As in Elasticsearch a malformed line refuses the request, and what was written before
/// it came stays.
async fn write(node: &Node, request: &Request, body: &mut Body) -> Result<Answer, ApiError> {
    write_options::check(&request.query)?;
    let default = request.parameters.get("index").map(String::as_str);
    let (mut lines, mut answer) = (Lines::new(), Answer::default());
    loop {
        let actions = next_actions(&mut lines, body).await?;
        if actions.is_empty() {
            return Ok(answer);
        }
        let missing = actions.iter().filter(|action| action.index.is_none() && default.is_none()).count();
        if missing > 0 {
            return Err(ApiError::validation(&vec!["index is missing".to_owned(); missing]));
        }
        commit(node, request, default, actions, &mut answer).await?;
        body.hold(lines.buffered() + answer.items.len() * ITEM_BYTES)?;
    }
}

/// The actions of a step; none at the end of the body.
async fn next_actions(lines: &mut Lines, body: &mut Body) -> Result<Vec<Action>, ApiError> {
    let (mut actions, mut bytes) = (Vec::new(), 0);
    loop {
        while bytes < STEP_BYTES && actions.len() < STEP_ACTIONS {
            let Some(action) = lines.next()? else { break };
            bytes += action.source.len();
            actions.push(action);
        }
        if bytes >= STEP_BYTES || actions.len() >= STEP_ACTIONS {
            return Ok(actions);
        }
        let Some(part) = body.part().await? else {
            return lines.end().map(|()| actions);
        };
        lines.add(&part);
    }
}

async fn commit(
    node: &Node,
    request: &Request,
    default: Option<&str>,
    actions: Vec<Action>,
    answer: &mut Answer,
) -> Result<(), ApiError> {
    let _permit = node.core.bulk_steps.acquire().await.map_err(|_| StoreError::Closed)?;
    let (mut batch, mut items) = (Batch::new(), Vec::with_capacity(actions.len()));
    for action in actions {
        let index = action.index.clone().or_else(|| default.map(str::to_owned)).unwrap_or_default();
        let (kind, id) = (action.kind, action.id.clone());
        match operation(node, request, &index, action) {
            Ok(operation) => {
                batch.push(operation);
                items.push(Item::Pending(kind, index, id));
            }
            Err(error) => items.push(Item::Refused(failed(kind, &index, id.as_deref(), error))),
        }
    }
    let mut outcomes = node.core.store.commit(batch).await?.outcomes.into_iter();
    for item in items {
        match item {
            Item::Refused(item) => answer.add(item, true),
            Item::Pending(kind, index, id) => match outcomes.next() {
                Some(Ok(outcome)) => answer.add(done(kind, &outcome), false),
                Some(Err(refused)) => answer.add(failed(kind, &index, id.as_deref(), refused.into()), true),
                None => {}
            },
        }
    }
    Ok(())
}

fn operation(node: &Node, request: &Request, index: &str, action: Action) -> Result<Operation, ApiError> {
    let catalogue = node.core.store.catalogue();
    request.access.check("indices:data/write/bulk[s]", &[index])?;
    let inner = match action.kind {
        Kind::Index | Kind::Create => "indices:data/write/index",
        Kind::Update => "indices:data/write/update",
        Kind::Delete => "indices:data/write/delete",
    };
    request.access.check(inner, &[index])?;
    let require_alias = action.require_alias || request.query.flag("require_alias")?.unwrap_or(false);
    if require_alias && !catalogue.has_alias(index) {
        let reason =
            format!("no such index [{index}] and [require_alias] request flag is [true] and [{index}] is not an alias");
        return Err(ApiError::new(404, Exception::new("index_not_found_exception", reason)));
    }
    let expected = action
        .expected
        .map_or(Expected::Any, |(seq_no, primary_term)| Expected::SequenceNumber { seq_no, primary_term });
    let kind = match action.kind {
        Kind::Index => WriteKind::Index,
        Kind::Create => WriteKind::Create,
        Kind::Update => return Err(ApiError::illegal_argument("[update] in _bulk is not supported by this node")),
        Kind::Delete => {
            let id = action.id.ok_or_else(|| ApiError::validation(&["id is missing".to_owned()]))?;
            return Ok(Operation::Delete { index: index.to_owned(), id, expected });
        }
    };
    if catalogue.write_target(index).is_none() {
        request.access.check("indices:admin/auto_create", &[index])?;
    }
    if action.id.as_deref() == Some("") {
        return Err(ApiError::illegal_argument("if _id is specified it must not be empty"));
    }
    let source = Source::parse(action.source).map_err(ApiError::from)?;
    Ok(Operation::Write(DocumentWrite { kind, expected, ..DocumentWrite::new(index, action.id, source) }))
}

fn done(kind: Kind, outcome: &Outcome) -> Value {
    let status = match outcome {
        Outcome::Created(_) => 201,
        Outcome::NotFound(_) => 404,
        Outcome::Updated(_) | Outcome::Deleted(_) | Outcome::Done => 200,
    };
    let mut item = shown(outcome);
    if let Some(members) = item.as_object_mut() {
        members.insert("status".to_owned(), json!(status));
    }
    named(kind, item)
}

fn failed(kind: Kind, index: &str, id: Option<&str>, error: ApiError) -> Value {
    named(kind, json!({ "_index": index, "_id": id, "status": error.status(), "error": error.item() }))
}

fn named(kind: Kind, item: Value) -> Value {
    let mut members = Map::new();
    members.insert(kind.name().to_owned(), item);
    Value::Object(members)
}
