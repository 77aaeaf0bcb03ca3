//! `docs/configuration.md`, generated from the shape of the document and its doc comments.

use serde_json::Value;

use super::shape::{Key, Shape};

const HEAD: &str = "# Configuration

The config is a YAML file, `config/mlgate.yml` unless `--config` names another. `mlgate check` reads it and everything it names, and
says what is wrong and where; `mlgate schema` prints its JSON Schema for editors; `config/mlgate.example.yml` has every key in place.

- Unknown keys and keys given twice are errors. A key with nothing behind it counts as left out.
- `${VAR}` and `${VAR:-default}` in a value are replaced from the environment; `$${` stands for the characters themselves.
  What a variable holds is always one value and cannot add keys.
- A secret `NAME` may be given as `NAME_file`, the path of a file that holds it; one line break at its end is dropped.
- Durations have a whole number and a unit: `nanos`, `micros`, `ms`, `s`, `m`, `h`, `d`. Sizes: `b`, `kb`, `mb`, `gb`, `tb`, `pb`, in
  powers of 1024. `0` needs no unit.
- Relative paths are relative to the config file.
- Aliases, tags and several documents in one file are not supported.
- SIGHUP and a change of any file that the config names load all of it again, together or not at all.

This page is generated from the source of `src/config/document`; a test compares it.

";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let Shape::Mapping { keys, .. } = Shape::of_document() else { return page };
    for key in &keys {
        section(&mut page, key);
    }
    page
}

fn collect(shape: &Shape, path: &str, found: &mut Vec<(String, Key)>) {
    match shape {
        Shape::Mapping { keys, .. } => {
            for key in keys {
                let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
                found.push((path.clone(), key.clone()));
                collect(&key.shape, &path, found);
            }
        }
        Shape::List(inner) => collect(inner, &format!("{path}[]"), found),
        Shape::Choice { shapes, .. } => {
            for (name, shape) in shapes {
                collect(shape, &format!("{path}({name})"), found);
            }
        }
        _ => {}
    }
}

fn section(page: &mut String, key: &Key) {
    let mut rows = Vec::new();
    collect(&Shape::Mapping { keys: vec![key.clone()], rest: None }, "", &mut rows);
    page.push_str(&format!(
        "## {}\n\n{}\n\n| key | value | default | |\n| --- | --- | --- | --- |\n",
        key.name, key.about
    ));
    for (path, key) in rows {
        let about = if key.name == "type" && key.about.is_empty() { "Kind of realm." } else { &key.about };
        page.push_str(&format!("| `{path}` | {} | {} | {} |\n", kind(&key.shape), default(&key), cell(about)));
    }
    page.push('\n');
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Mapping { keys, .. } if keys.is_empty() => "mapping of names to lists".to_owned(),
        Shape::Mapping { .. } => "mapping".to_owned(),
        Shape::Choice { .. } => "mapping".to_owned(),
        Shape::List(inner) => match inner.as_ref() {
            Shape::Mapping { .. } | Shape::Choice { .. } => "list".to_owned(),
            inner => format!("list of: {}", kind(inner)),
        },
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Text => "text".to_owned(),
        Shape::Secret => "secret".to_owned(),
        Shape::Period => "duration".to_owned(),
        Shape::Size => "size".to_owned(),
        Shape::Bool => "`true`, `false`".to_owned(),
        Shape::Whole { least, most } if *most == u64::from(u32::MAX) => format!("number from {least}"),
        Shape::Whole { least, most } => format!("number from {least} to {most}"),
        Shape::Ratio { least, most } => format!("number from {least} to {most}"),
    }
}

/// Mappings show theirs key by key.
fn default(key: &Key) -> String {
    match (&key.default, key.required) {
        (_, true) => "required".to_owned(),
        (None, false) | (Some(Value::Object(_)), false) => String::new(),
        (Some(Value::Array(items)), false) if items.iter().any(Value::is_object) => "see below".to_owned(),
        (Some(Value::String(text)), false) => format!("`{}`", cell(text)),
        (Some(value), false) => format!("`{}`", cell(&value.to_string())),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == page(), "docs/configuration.md is old: run the tests with UPDATE_GOLDEN=1");
    }
}
