//! Text to tree.

use std::fmt;

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, StrInput};

use super::{Entry, Mark, Node, Scalar, Value};

/// Deeper than any config is; keeps the recursion below bounded.
const DEPTH_MAX: usize = 32;
/// More than any config has.
const NODES_MAX: usize = 20_000;

/// Why a text is no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlFault {
    #[error("not valid YAML: {0}")]
    Syntax(String),
    #[error("{0} are not supported here")]
    Unsupported(Construct),
    #[error("the key [{key}] is given twice, first in line {first_line}")]
    DuplicateKey { key: String, first_line: usize },
    #[error("too deep or too large for a config")]
    TooLarge,
}

/// Parts of YAML that are left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    Aliases,
    Tags,
    CompoundKeys,
    SeveralDocuments,
}

impl fmt::Display for Construct {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Aliases => "aliases (*name)",
            Self::Tags => "tags (!name)",
            Self::CompoundKeys => "keys that are lists or mappings",
            Self::SeveralDocuments => "several YAML documents",
        })
    }
}

/// Reads one YAML document; an empty text is an empty mapping.
///
/// # Errors
/// All duplicate keys, or the first place from which reading cannot go on.
pub(in crate::config) fn parse(text: &str) -> Result<Node, Vec<(Mark, YamlFault)>> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text.strip_prefix('\u{feff}').unwrap_or(text), options),
        nodes: 0,
        duplicates: Vec::new(),
    };
    match reader.document() {
        Err(stop) => {
            reader.duplicates.push(stop);
            Err(reader.duplicates)
        }
        Ok(_) if !reader.duplicates.is_empty() => Err(reader.duplicates),
        Ok(node) => Ok(node),
    }
}

type Stop = (Mark, YamlFault);

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    nodes: usize,
    duplicates: Vec<Stop>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Mark), Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, mark(&span.start))),
            Some(Err(error)) => Err((mark(error.marker()), YamlFault::Syntax(error.info()))),
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => return Err((at, YamlFault::Unsupported(Construct::SeveralDocuments))),
                other => root = Some(self.node(other, at, 0)?),
            }
        }
        let empty = Node { mark: Mark { line: 1, column: 1 }, value: Value::Mapping(Vec::new()) };
        Ok(match root {
            Some(Node { value: Value::Scalar(scalar), .. }) if scalar.is_null() => empty,
            Some(node) => node,
            None => empty,
        })
    }

    fn node(&mut self, event: Event<'a>, at: Mark, depth: usize) -> Result<Node, Stop> {
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err((at, YamlFault::TooLarge));
        }
        let value = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => {
                return Err((at, YamlFault::Unsupported(Construct::Tags)));
            }
            Event::Scalar(text, style, _, None) => {
                Value::Scalar(Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain, template: None })
            }
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            Event::Alias(_) => return Err((at, YamlFault::Unsupported(Construct::Aliases))),
            other => return Err((at, YamlFault::Syntax(format!("unexpected {other:?}")))),
        };
        Ok(Node { mark: at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(nodes)),
                (event, at) => nodes.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Mapping(entries)),
                Event::Scalar(text, _, _, None) => text.into_owned(),
                Event::Scalar(..) => return Err((at, YamlFault::Unsupported(Construct::Tags))),
                Event::Alias(_) => return Err((at, YamlFault::Unsupported(Construct::Aliases))),
                _ => return Err((at, YamlFault::Unsupported(Construct::CompoundKeys))),
            };
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            match entries.iter().find(|entry| entry.key == key) {
                Some(first) => {
                    self.duplicates.push((at, YamlFault::DuplicateKey { key, first_line: first.mark.line }));
                }
                None => entries.push(Entry { key, mark: at, node }),
            }
        }
    }
}

fn mark(marker: &Marker) -> Mark {
    Mark { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, usize, String)> {
        let faults = parse(text).expect_err(text);
        faults.into_iter().map(|(at, fault)| (at.line, at.column, fault.to_string())).collect()
    }

    #[test]
    fn knows_where_values_stand() {
        use super::super::Step;
        let root = parse("a: 1\nb:\n  - x\n  - y: 2\n").unwrap();
        let at = |path: &[Step]| {
            let mark = root.locate(&path.iter().cloned().collect());
            (mark.line, mark.column)
        };
        assert_eq!(at(&[Step::Key("a".into())]), (1, 4));
        assert_eq!(at(&[Step::Key("b".into()), Step::Index(0)]), (3, 5));
        assert_eq!(at(&[Step::Key("b".into()), Step::Index(1), Step::Key("y".into())]), (4, 8));
        assert_eq!(at(&[Step::Key("b".into()), Step::Index(1), Step::Key("missing".into())]), (4, 5));
    }

    #[test]
    fn an_empty_text_is_an_empty_mapping() {
        for text in ["", "# only a comment\n", "---\n", "null\n", "\u{feff}"] {
            assert!(matches!(parse(text).unwrap().value, Value::Mapping(entries) if entries.is_empty()), "{text:?}");
        }
    }

    #[test]
    fn reports_every_duplicate_key() {
        let found = faults("a: 1\nb: {c: 1, c: 2}\na: 2\n");
        assert_eq!(
            found,
            [
                (2, 11, "the key [c] is given twice, first in line 2".to_owned()),
                (3, 1, "the key [a] is given twice, first in line 1".to_owned())
            ]
        );
    }

    #[test]
    fn refuses_what_a_config_does_not_need() {
        for (text, expected) in [
            ("a: &x 1\nb: *x\n", "aliases (*name) are not supported here"),
            ("a: !!str 1\n", "tags (!name) are not supported here"),
            ("[a]: 1\n", "keys that are lists or mappings are not supported here"),
            ("a: 1\n---\nb: 2\n", "several YAML documents are not supported here"),
        ] {
            assert_eq!(faults(text).pop().unwrap().2, expected, "{text:?}");
        }
        assert_eq!(
            faults(&format!("{}{}", "[".repeat(40), "]".repeat(40))).pop().unwrap().2,
            "too deep or too large for a config"
        );
        assert!(faults("a: [1\n").pop().unwrap().2.starts_with("not valid YAML: "));
    }
}
