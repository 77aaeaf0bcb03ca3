//! Tables of the `_cat` APIs: `h`, `v`, `s`, `help`, `format`.
//!
//! Source: elasticsearch, `RestTable.java`.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::node::http::{ApiError, Reply, Request};

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    /// Whether it is shown without `h`.
    pub(super) shown: bool,
    /// Aligned to the right.
    pub(super) right: bool,
}

/// Rows of values; a missing one is null.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, values: Vec<Value>) {
        self.rows.push(values);
    }

    /// # Errors
    /// 400 for an unknown format or column to sort by.
    pub(super) fn reply(mut self, request: &Request) -> Result<Reply, ApiError> {
        if request.query.flag("help")? == Some(true) {
            return Ok(Reply::text(self.help()));
        }
        if let Some(order) = request.query.text("s") {
            self.sort(order)?;
        }
        let picked = self.pick(request.query.text("h"));
        match request.query.text("format") {
            None | Some("text" | "txt") => {
                let heading = request.query.flag("v")?.unwrap_or(false);
                Ok(Reply::text(self.text(&picked, heading)))
            }
            Some("json") => Ok(Reply::json(self.json(&picked))),
            Some(other) => {
                Err(ApiError::illegal_argument(format!("format [{other}] is not supported by the embedded node")))
            }
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.aliases.contains(&name))
    }

    /// Index and heading of each column to be shown.
    fn pick(&self, wanted: Option<&str>) -> Vec<(usize, String)> {
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
            let shown = self.columns.iter().enumerate().filter(|(_, column)| column.shown);
            return shown.map(|(index, column)| (index, column.name.to_owned())).collect();
        };
        let mut picked = Vec::new();
        for part in wanted.split(',').map(str::trim) {
            if part.contains('*') {
                let matching = self
                    .columns
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| crate::node::ml::identifier::wildcard(part, column.name));
                picked.extend(matching.map(|(index, column)| (index, column.name.to_owned())));
            } else if let Some(index) = self.find(part) {
                picked.push((index, part.to_owned()));
            }
        }
        picked
    }

    fn sort(&mut self, order: &str) -> Result<(), ApiError> {
        let mut keys = Vec::new();
        for part in order.split(',') {
            let (name, direction) = part.split_once(':').unwrap_or((part, "asc"));
            let index = self.find(name).ok_or_else(|| {
                ApiError::new(
                    400,
                    crate::elasticsearch::error_body::Exception::new(
                        "unsupported_operation_exception",
                        format!("Unable to sort by unknown sort key `{name}`"),
                    ),
                )
            })?;
            keys.push((index, direction == "desc"));
        }
        self.rows.sort_by(|left, right| {
            keys.iter().fold(Ordering::Equal, |so_far, (index, descending)| {
                so_far.then_with(|| {
                    let order = compare(left.get(*index), right.get(*index));
                    if *descending { order.reverse() } else { order }
                })
            })
        });
        Ok(())
    }

    fn json(&self, picked: &[(usize, String)]) -> Value {
        let row = |values: &Vec<Value>| {
            let cells = picked.iter().map(|(index, name)| {
                let value = values.get(*index).cloned().unwrap_or_default();
                (name.clone(), if value.is_null() { value } else { Value::String(written(&value)) })
            });
            Value::Object(cells.collect::<Map<_, _>>())
        };
        self.rows.iter().map(row).collect()
    }

    fn text(&self, picked: &[(usize, String)], heading: bool) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if heading {
            lines.push(picked.iter().map(|(_, name)| name.clone()).collect());
        }
        for values in &self.rows {
            lines.push(picked.iter().map(|(index, _)| values.get(*index).map(written).unwrap_or_default()).collect());
        }
        let widths: Vec<usize> = (0..picked.len())
            .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .zip(picked)
                .map(|((cell, width), (index, _))| {
                    let right = self.columns.get(*index).is_some_and(|column| column.right);
                    if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                })
                .collect();
            text.push_str(cells.join(" ").trim_end());
            text.push('\n');
        }
        text
    }

    fn help(&self) -> String {
        let line = |column: &Column| format!("{} | {} |\n", column.name, column.aliases.join(","));
        self.columns.iter().map(line).collect()
    }
}

fn compare(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left.and_then(Value::as_f64), right.and_then(Value::as_f64)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.map(written).cmp(&right.map(written)),
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
