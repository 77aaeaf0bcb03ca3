//! Tables of the `_cat` APIs: `h`, `v`, `s`, `help`, `format`, `bytes`, `time`.
//!
//! Source: elasticsearch, `RestTable.java`.

use std::cmp::Ordering;

use http::header::ACCEPT;
use serde_json::{Map, Value};

use super::{ApiError, Reply, Request};
use crate::elasticsearch::error_body::Exception;
use crate::node::indices::wildcard;

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// What `help` says of it.
    pub description: &'static str,
    /// Whether it is shown without `h`.
    pub shown: bool,
    /// Aligned to the right.
    pub right: bool,
}

/// What stands at one place of a table.
#[derive(Clone, Debug)]
pub enum Cell {
    /// A text, a number, or null for what is not there.
    Plain(Value),
    Bytes(u64),
    Milliseconds(i64),
}

/// Rows of cells; a missing one is null.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// The units that `bytes` and `time` ask for; without one the largest that fits.
#[derive(Clone, Copy)]
struct Units {
    /// How far bytes are shifted.
    bytes: Option<u32>,
    /// Nanoseconds.
    time: Option<i128>,
}

impl<T: Into<Value>> From<T> for Cell {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

impl Column {
    /// Shown, to the left, without another name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, aliases: &[], description: "", shown: true, right: false }
    }
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// # Errors
    /// 400 for an unknown unit or column to sort by.
    pub fn reply(mut self, request: &Request) -> Result<Reply, ApiError> {
        let units = Units::of(request)?;
        if request.query.flag("help")? == Some(true) {
            return Ok(Reply::text(self.help()));
        }
        let heading = request.query.flag("v")?.unwrap_or(false);
        if let Some(order) = request.query.text("s") {
            self.sort(order)?;
        }
        let picked = self.pick(request.query.text("h"));
        if is_text(request) {
            return Ok(Reply::text(self.text(&picked, heading, units)));
        }
        Ok(Reply::json(self.json(&picked, units)))
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.aliases.contains(&name))
    }

    /// Index and heading of each column to be shown.
    fn pick(&self, wanted: Option<&str>) -> Vec<(usize, String)> {
        let named = |(index, column): (usize, &Column)| (index, column.name.to_owned());
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
            return self.columns.iter().enumerate().filter(|(_, column)| column.shown).map(named).collect();
        };
        let mut picked = Vec::new();
        for part in wanted.split(',').map(str::trim) {
            if part.contains('*') {
                let matching = self.columns.iter().enumerate().filter(|(_, one)| wildcard::matches(part, one.name));
                picked.extend(matching.map(named));
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
            let unknown = || format!("Unable to sort by unknown sort key `{name}`");
            let index = self
                .find(name)
                .ok_or_else(|| ApiError::new(400, Exception::new("unsupported_operation_exception", unknown())))?;
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

    fn json(&self, picked: &[(usize, String)], units: Units) -> Value {
        let row = |cells: &Vec<Cell>| {
            let members = picked.iter().map(|(index, name)| {
                let text = cells.get(*index).and_then(|cell| units.written(cell));
                (name.clone(), text.map_or(Value::Null, Value::String))
            });
            Value::Object(members.collect::<Map<_, _>>())
        };
        self.rows.iter().map(row).collect()
    }

    fn text(&self, picked: &[(usize, String)], heading: bool, units: Units) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if heading {
            lines.push(picked.iter().map(|(_, name)| name.clone()).collect());
        }
        for cells in &self.rows {
            let cell = |index: &usize| cells.get(*index).and_then(|cell| units.written(cell)).unwrap_or_default();
            lines.push(picked.iter().map(|(index, _)| cell(index)).collect());
        }
        let widths: Vec<usize> = (0..picked.len())
            .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths).zip(picked).map(|((cell, width), (index, _))| {
                let right = self.columns.get(*index).is_some_and(|column| column.right);
                if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            text.push_str(cells.collect::<Vec<_>>().join(" ").trim_end());
            text.push('\n');
        }
        text
    }

    /// Name, aliases and description of each column.
    fn help(&self) -> String {
        let rows: Vec<[String; 3]> = self
            .columns
            .iter()
            .map(|one| [one.name.to_owned(), one.aliases.join(","), one.description.to_owned()])
            .collect();
        let widest = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
        let (names, aliases) = (widest(0), widest(1));
        let line = |[name, alias, description]: &[String; 3]| {
            format!("{name:<names$} | {alias:<aliases$} | {description}").trim_end().to_owned() + "\n"
        };
        rows.iter().map(line).collect()
    }
}

/// `format` decides, else `Accept`; tables are text unless something else is asked for.
fn is_text(request: &Request) -> bool {
    match request.query.text("format") {
        Some(format) => !matches!(format, "json" | "yaml"),
        None => {
            let accept = request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
            !(accept.starts_with("application/") && (accept.contains("json") || accept.contains("yaml")))
        }
    }
}

fn compare(left: Option<&Cell>, right: Option<&Cell>) -> Ordering {
    let number = |cell: Option<&Cell>| match cell? {
        Cell::Plain(value) => value.as_f64().or_else(|| value.as_str()?.parse().ok()),
        Cell::Bytes(bytes) => Some(*bytes as f64),
        Cell::Milliseconds(duration_ms) => Some(*duration_ms as f64),
    };
    let text = |cell: Option<&Cell>| match cell {
        Some(Cell::Plain(value)) => plain(value),
        _ => None,
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => text(left).cmp(&text(right)),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl Units {
    fn of(request: &Request) -> Result<Self, ApiError> {
        let unknown =
            |name: &str, unit: &str| ApiError::illegal_argument(format!("Failed to parse {name} parameter [{unit}]"));
        let bytes = request.query.text("bytes").filter(|unit| !unit.is_empty()).map(|unit| match unit {
            "b" => Ok(0),
            "k" | "kb" => Ok(10),
            "m" | "mb" => Ok(20),
            "g" | "gb" => Ok(30),
            "t" | "tb" => Ok(40),
            "p" | "pb" => Ok(50),
            other => Err(unknown("bytes", other)),
        });
        let time = request.query.text("time").filter(|unit| !unit.is_empty()).map(|unit| match unit {
            "nanos" => Ok(1),
            "micros" => Ok(1_000),
            "ms" => Ok(1_000_000),
            "s" => Ok(1_000_000_000),
            "m" => Ok(60_000_000_000),
            "h" => Ok(3_600_000_000_000),
            "d" => Ok(86_400_000_000_000),
            other => Err(unknown("time", other)),
        });
        Ok(Self { bytes: bytes.transpose()?, time: time.transpose()? })
    }

    fn written(self, cell: &Cell) -> Option<String> {
        match (cell, self) {
            (Cell::Plain(value), _) => plain(value),
            (Cell::Bytes(bytes), Self { bytes: Some(shift), .. }) => Some((bytes >> shift).to_string()),
            (Cell::Bytes(bytes), _) => Some(size(*bytes)),
            (Cell::Milliseconds(duration_ms), Self { time: Some(unit), .. }) => {
                Some((i128::from(*duration_ms) * 1_000_000 / unit).to_string())
            }
            (Cell::Milliseconds(duration_ms), _) => Some(duration(*duration_ms)),
        }
    }
}

/// `1.5kb`, as Elasticsearch shows sizes: at most one decimal.
fn size(bytes: u64) -> String {
    let units = [(1 << 50, "pb"), (1 << 40, "tb"), (1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    one_decimal(i128::from(bytes), &units, "b")
}

/// `1.5m`, as Elasticsearch shows durations: at most one decimal.
fn duration(duration_ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    one_decimal(i128::from(duration_ms), &units, "ms")
}

fn one_decimal(amount: i128, units: &[(i128, &str)], smallest: &str) -> String {
    let Some((least, unit)) = units.iter().find(|(least, _)| amount >= *least) else {
        return format!("{amount}{smallest}");
    };
    let (whole, tenth) = (amount / least, amount % least * 10 / least);
    if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_have_one_decimal() {
        assert_eq!([size(5), size(1024), size(1536), size(3 << 30)], ["5b", "1kb", "1.5kb", "3gb"]);
        assert_eq!([duration(5), duration(90_000), duration(86_400_000)], ["5ms", "1.5m", "1d"]);
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(vec![Column::new("x"), Column { right: true, ..Column::new("yy") }]);
        table.row(vec!["a".into(), 10.into()]);
        table.row(vec!["ccc".into(), 5.into()]);
        let units = Units { bytes: None, time: None };
        assert_eq!(table.text(&table.pick(None), true, units), "x   yy\na   10\nccc  5\n");
        table.sort("yy").expect("a column");
        assert_eq!(table.text(&table.pick(Some("yy,x")), false, units), " 5 ccc\n10 a\n");
    }
}
