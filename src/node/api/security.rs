//! `_security/_authenticate` and `_security/user/_has_privileges`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::route;
use crate::node::Node;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::Route;
use crate::node::security::Access;
use crate::node::security::privileges::{Actions, Scope};

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_security/_authenticate" "" [] => authenticate),
        route!(GET "/_security/user/_has_privileges" "" [] => has_privileges),
        route!(POST "/_security/user/_has_privileges" "" [] => has_privileges),
        route!(GET "/_security/user/{username}/_has_privileges" "" [] => has_privileges),
        route!(POST "/_security/user/{username}/_has_privileges" "" [] => has_privileges),
    ]
}

async fn authenticate(_: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    request.without_body()?;
    let caller = request.caller;
    let realm = json!({ "name": caller.realm.name, "type": caller.realm.kind });
    Ok(Reply::json(json!({
        "username": caller.username,
        "roles": caller.roles,
        "full_name": caller.full_name,
        "email": caller.email,
        "metadata": caller.metadata,
        "enabled": true,
        "authentication_realm": realm,
        "lookup_realm": realm,
        "authentication_type": caller.authentication_type
    })))
}

async fn has_privileges(_: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let caller = &request.caller.username;
    if request.parameters.get("username").is_some_and(|username| username != caller) {
        return Err(ApiError::illegal_argument("users may only check the privileges of their own account"));
    }
    let Some(Value::Object(body)) = request.json()? else {
        return Err(ApiError::parse("request body is required"));
    };
    let (mut cluster, mut index, mut application, mut all) = (Map::new(), Map::new(), Map::new(), true);
    for (key, value) in &body {
        match key.as_str() {
            "cluster" => {
                for privilege in texts(key, value)? {
                    let has = has_cluster(&request.access, &privilege)?;
                    all &= has;
                    cluster.insert(privilege, Value::Bool(has));
                }
            }
            "index" => all &= indices(&request.access, value, &mut index)?,
            "application" => all &= applications(&request.access, value, &mut application)?,
            other => {
                return Err(ApiError::parsing(format!("failed to parse privilege check. unexpected field [{other}]")));
            }
        }
    }
    if cluster.is_empty() && index.is_empty() && application.is_empty() {
        return Err(ApiError::validation(&["must specify at least one privilege".to_owned()]));
    }
    Ok(Reply::json(json!({
        "username": caller, "has_all_requested": all, "cluster": cluster, "index": index, "application": application
    })))
}

fn has_cluster(access: &Access, privilege: &str) -> Result<bool, ApiError> {
    let asked = Actions::of(Scope::Cluster, privilege).ok_or_else(|| {
        ApiError::illegal_argument(format!(
            "unknown cluster privilege [{privilege}]. a privilege must be either one of the predefined cluster privilege names or a \
             pattern over one of the available cluster actions"
        ))
    })?;
    Ok(match access {
        Access::Everything => true,
        Access::Granted(permissions) => permissions.has_cluster(&asked),
    })
}

fn indices(access: &Access, checks: &Value, answer: &mut Map<String, Value>) -> Result<bool, ApiError> {
    let mut all = true;
    for check in objects("index", checks)? {
        for key in check.keys() {
            if !["names", "privileges", "allow_restricted_indices"].contains(&key.as_str()) {
                let text =
                    format!("failed to parse indices privileges for role [has_privileges]. unexpected field [{key}]");
                return Err(ApiError::parsing(text));
            }
        }
        for name in texts("names", check.get("names").unwrap_or(&Value::Null))? {
            let members = answer.entry(name.clone()).or_insert_with(|| json!({}));
            for privilege in texts("privileges", check.get("privileges").unwrap_or(&Value::Null))? {
                let asked = Actions::of(Scope::Index, &privilege)
                    .ok_or_else(|| ApiError::illegal_argument(format!("unknown index privilege [{privilege}]")))?;
                let has = match access {
                    Access::Everything => true,
                    Access::Granted(permissions) => permissions.has_index(&asked, &name),
                };
                all &= has;
                if let Some(members) = members.as_object_mut() {
                    members.insert(privilege, Value::Bool(has));
                }
            }
        }
    }
    Ok(all)
}

/// The node has no applications: only who may do everything has their privileges.
fn applications(access: &Access, checks: &Value, answer: &mut Map<String, Value>) -> Result<bool, ApiError> {
    let mut all = true;
    let has = match access {
        Access::Everything => true,
        Access::Granted(permissions) => {
            Actions::of(Scope::Cluster, "all").is_some_and(|everything| permissions.has_cluster(&everything))
        }
    };
    for check in objects("application", checks)? {
        let name = check.get("application").and_then(Value::as_str).unwrap_or_default();
        let privileges = texts("privileges", check.get("privileges").unwrap_or(&Value::Null))?;
        let resources = texts("resources", check.get("resources").unwrap_or(&Value::Null))?;
        all &= has || privileges.is_empty();
        let answers: Map<String, Value> =
            privileges.into_iter().map(|privilege| (privilege, Value::Bool(has))).collect();
        let by_resource: Map<String, Value> =
            resources.into_iter().map(|resource| (resource, Value::Object(answers.clone()))).collect();
        answer.insert(name.to_owned(), Value::Object(by_resource));
    }
    Ok(all)
}

fn objects<'a>(key: &str, value: &'a Value) -> Result<Vec<&'a Map<String, Value>>, ApiError> {
    let items = value.as_array().map(|items| items.iter().map(Value::as_object).collect::<Option<Vec<_>>>());
    items.flatten().ok_or_else(|| ApiError::parsing(format!("[{key}] must be an array of objects")))
}

/// One text, or a list.
fn texts(key: &str, value: &Value) -> Result<Vec<String>, ApiError> {
    let wrong = || ApiError::parsing(format!("[{key}] must be an array of strings"));
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}
