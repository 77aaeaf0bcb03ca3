//! Tasks as `_tasks` and `_tasks/_cancel` answer them.

use serde_json::{Map, Value, json};

use crate::elasticsearch::error_body::Exception;
use crate::node::http::{ApiError, Query, Reply};
use crate::node::ml::rest::call::Call;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    Nodes,
    Parents,
    None,
}

impl Grouping {
    /// # Errors
    /// 400.
    pub(super) fn of(query: &Query) -> Result<Self, ApiError> {
        match query.text("group_by") {
            None | Some("nodes") => Ok(Self::Nodes),
            Some("parents") => Ok(Self::Parents),
            Some("none") => Ok(Self::None),
            Some(other) => Err(ApiError::illegal_argument(format!(
                "group_by must be one of [nodes, parents, none] but was [{other}]"
            ))),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Listing {
    /// By `node:number`.
    pub(super) tasks: Map<String, Value>,
    failures: Vec<Value>,
}

impl Listing {
    /// A node did not do what was asked of it.
    pub(super) fn node_failed(&mut self, node: &str, cause: Exception) {
        let failure = Exception::new("failed_node_exception", format!("Failed node [{node}]"));
        self.failures.push(failure.with("node_id", json!(node)).caused_by(cause).item());
    }

    pub(super) fn reply(self, call: &Call, grouping: Grouping) -> Reply {
        let mut shown = Map::new();
        if !self.failures.is_empty() {
            shown.insert("node_failures".to_owned(), Value::Array(self.failures));
        }
        let (member, tasks) = match grouping {
            Grouping::None => ("tasks", Value::Array(self.tasks.into_iter().map(|(_, task)| task).collect())),
            Grouping::Parents => ("tasks", Value::Object(self.tasks)),
            Grouping::Nodes => ("nodes", by_node(call, self.tasks)),
        };
        shown.insert(member.to_owned(), tasks);
        Reply::json(Value::Object(shown))
    }
}

fn by_node(call: &Call, tasks: Map<String, Value>) -> Value {
    if tasks.is_empty() {
        return json!({});
    }
    let identity = &call.node.core.identity;
    json!({
        &identity.node_id: {
            "name": identity.node_name,
            "transport_address": identity.address.to_string(),
            "host": identity.address.ip().to_string(),
            "ip": identity.address.to_string(),
            "roles": crate::node::ROLES,
            "tasks": tasks,
        },
    })
}
