//! `_cat/indices` and `_cat/health`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::indices_options::expression;
use super::route;
use crate::node::Node;
use crate::node::http::{ApiError, Reply, Request};
use crate::node::router::Route;

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(GET "/_cat/indices" "indices:monitor/stats" ["bytes", "expand_wildcards", "h", "master_timeout", "s", "v"] => indices),
        route!(GET "/_cat/indices/{index}" "indices:monitor/stats" ["bytes", "expand_wildcards", "h", "master_timeout", "s", "v"] => indices),
        route!(GET "/_cat/health" "cluster:monitor/health" ["h", "s", "v"] => health),
    ]
}

async fn indices(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let found =
        request.access.resolve(&node.core.store.catalogue(), &expression(&request)?, "indices:monitor/stats")?;
    let plain_bytes = matches!(request.query.text("bytes"), Some("b"));
    if !plain_bytes && let Some(unit) = request.query.text("bytes") {
        return Err(ApiError::illegal_argument(format!("[bytes] of [{unit}] is not supported by this node, only [b]")));
    }
    let numbers: Vec<u32> = found.iter().map(|index| index.number).collect();
    let counters = node
        .core
        .store
        .read(|reader| numbers.iter().map(|number| reader.counters(*number)).collect::<Result<Vec<_>, _>>())?;
    let rows = found.iter().zip(counters).map(|(index, counters)| {
        let size = if plain_bytes { counters.bytes.to_string() } else { size(counters.bytes) };
        let shards = index.settings.get("number_of_shards").cloned().unwrap_or_default();
        vec![
            "green".to_owned(),
            "open".to_owned(),
            index.name.to_string(),
            index.uuid.clone(),
            shards,
            "0".to_owned(),
            counters.documents.to_string(),
            "0".to_owned(),
            size.clone(),
            size,
        ]
    });
    let columns = [
        "health",
        "status",
        "index",
        "uuid",
        "pri",
        "rep",
        "docs.count",
        "docs.deleted",
        "store.size",
        "pri.store.size",
    ];
    table(&request, &columns, rows.collect())
}

async fn health(node: Arc<Node>, request: Request) -> Result<Reply, ApiError> {
    let shards = node.core.store.catalogue().indices().count().to_string();
    let now = node.core.clock.now_ms();
    let seconds = (now / 1000).to_string();
    let clock = crate::node::indices::dates::format(now).get(11..19).unwrap_or_default().to_owned();
    let name = node.core.identity.cluster_name.clone();
    let columns = [
        "epoch",
        "timestamp",
        "cluster",
        "status",
        "node.total",
        "node.data",
        "shards",
        "pri",
        "relo",
        "init",
        "unassign",
    ];
    let one = || "1".to_owned();
    let none = || "0".to_owned();
    let row =
        vec![seconds, clock, name, "green".to_owned(), one(), one(), shards.clone(), shards, none(), none(), none()];
    table(&request, &columns, vec![row])
}

/// 1.5kb, as `_cat` shows sizes.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("tb", 1 << 40), ("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)];
    for (unit, least) in UNITS {
        if bytes >= least {
            let tenths = bytes.saturating_mul(10) / least;
            let (whole, tenth) = (tenths / 10, tenths % 10);
            return if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") };
        }
    }
    format!("{bytes}b")
}

/// Writes rows as text, or as JSON with `format=json` or an `Accept` of it.
fn table(request: &Request, columns: &[&str], mut rows: Vec<Vec<String>>) -> Result<Reply, ApiError> {
    let place = |name: &str| {
        let found = columns.iter().position(|column| *column == name);
        found.ok_or_else(|| ApiError::illegal_argument(format!("Unable to sort by unknown sort key `{name}`")))
    };
    if let Some(sort) = request.query.text("s") {
        for key in sort.split(',').rev() {
            let (name, order) = key.split_once(':').unwrap_or((key, "asc"));
            let at = place(name)?;
            rows.sort_by(|left, right| {
                let (left, right) = (left.get(at), right.get(at));
                let number = |text: Option<&String>| text.and_then(|text| text.parse::<u64>().ok());
                let order_of =
                    number(left).zip(number(right)).map_or_else(|| left.cmp(&right), |(left, right)| left.cmp(&right));
                if order == "desc" { order_of.reverse() } else { order_of }
            });
        }
    }
    let shown: Vec<usize> = match request.query.text("h") {
        None => (0..columns.len()).collect(),
        Some(names) => columns
            .iter()
            .enumerate()
            .filter(|(_, column)| names.split(',').any(|name| crate::node::indices::wildcard::matches(name, column)))
            .map(|(at, _)| at)
            .collect(),
    };
    let accepts_json = request.headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
    let accepts_json = accepts_json.is_some_and(|accept| accept.starts_with("application/") && accept.contains("json"));
    let json = match request.query.text("format") {
        Some("json") => true,
        Some("text" | "txt") => false,
        _ => accepts_json,
    };
    if json {
        let objects = rows.iter().map(|row| {
            let members = shown
                .iter()
                .filter_map(|at| Some(((*columns.get(*at)?).to_owned(), Value::String(row.get(*at)?.clone()))));
            Value::Object(members.collect::<Map<_, _>>())
        });
        return Ok(Reply::json(objects.collect()));
    }
    let head: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    if request.query.flag("v")?.unwrap_or(false) {
        rows.insert(0, head);
    }
    Ok(Reply::text(text(&rows, &shown)))
}

fn text(rows: &[Vec<String>], shown: &[usize]) -> String {
    let cell = |row: &'_ Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    let width = |at: usize| rows.iter().map(|row| cell(row, at).chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = shown.iter().map(|at| width(*at)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = shown.iter().zip(&widths).map(|(at, width)| format!("{:<width$}", cell(row, *at)));
        text.push_str(cells.collect::<Vec<_>>().join(" ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit() {
        assert_eq!([size(5), size(1024), size(1536), size(3 << 30)], ["5b", "1kb", "1.5kb", "3gb"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(text(&rows, &[0, 1]), "a   bb\nccc d\n");
    }
}
