//! What can be wrong with a config: where, what was found, what is expected.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

use super::environment::VariableFault;
use super::key_path::KeyPath;
use super::named_file::FileFault;
use super::tls::{CertificateFault, TlsFault};
use super::yaml::{Mark, YamlFault};

/// One thing that is wrong, in one line.
///
/// `config/mlgate.yml:12:5: clusters[0].nodez: unknown key; did you mean [nodes]?`
#[derive(Debug)]
pub struct Problem {
    /// The config, or a file that it names.
    pub file: PathBuf,
    /// Where in the file; `None`: all of it, or the fault tells.
    pub mark: Option<Mark>,
    /// The key in the config; the root for the config itself.
    pub key: KeyPath,
    pub fault: Fault,
}

/// Everything that is wrong with a config; never empty.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

/// Something that works but may not be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The key in the config that it is about.
    pub key: KeyPath,
    pub text: String,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The config itself.
    #[error(transparent)]
    File(FileFault),
    /// A file that the config names.
    #[error("[{}]", path.display())]
    NamedFile {
        path: PathBuf,
        #[source]
        fault: FileFault,
    },
    #[error("[{}]: {fault}", path.display())]
    Certificate { path: PathBuf, fault: CertificateFault },
    #[error(transparent)]
    Tls(TlsFault),
    #[error("the document cannot be understood")]
    Document(#[source] serde_json::Error),
    #[error("the secret is empty")]
    EmptySecret,
    #[error(transparent)]
    Yaml(YamlFault),
    #[error(transparent)]
    Variable(VariableFault),
    #[error("unknown key{}", suggestion(.nearest.as_deref(), .known))]
    UnknownKey { nearest: Option<String>, known: Vec<String> },
    #[error("is missing; expected {expected}")]
    Missing { expected: String },
    #[error("found {found}, expected {expected}")]
    Unexpected { found: Found, expected: String },
    #[error("found {found}, expected {expected}{}", suggestion(.nearest.as_deref(), &[]))]
    UnknownWord { found: Found, expected: String, nearest: Option<String> },
    #[error("{found} is not there yet; expected {expected}")]
    NotThereYet { found: Found, expected: String },
    #[error("cannot be given together with [{other}]")]
    Conflict { other: String },
    #[error("needs [{other}] as well")]
    Needs { other: String },
    #[error("[{name}] is the same as in [{first}]")]
    Duplicate { name: String, first: KeyPath },
    #[error("plain HTTP on [{address}], which is not loopback: give [tls], or [allow_plaintext: true]")]
    Plaintext { address: String },
    /// A named file, or a part of the config that another module reads, is wrong.
    #[error(transparent)]
    Invalid(Box<dyn Error + Send + Sync>),
}

/// What stood there, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Text(String),
    /// The text before variables were replaced: what came from them is not shown.
    Template(String),
    Secret,
    Nothing,
    List,
    Mapping,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "[{}]", Short(text)),
            Self::Template(text) => write!(formatter, "the value of [{}]", Short(text)),
            Self::Secret => formatter.write_str("a secret"),
            Self::Nothing => formatter.write_str("nothing"),
            Self::List => formatter.write_str("a list"),
            Self::Mapping => formatter.write_str("a mapping"),
        }
    }
}

/// A text cut where it gets long.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 80;
        match self.0.char_indices().nth(MOST) {
            Some((end, _)) => write!(formatter, "{}...", self.0.get(..end).unwrap_or_default()),
            None => formatter.write_str(self.0),
        }
    }
}

fn suggestion(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean [{nearest}]?"),
        None if known.is_empty() => String::new(),
        None => format!("; known are [{}]", known.join(", ")),
    }
}

impl fmt::Display for Problem {
    /// One line, whatever the file holds.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.file.display().to_string();
        if let Some(mark) = self.mark {
            write!(line, ":{}:{}", mark.line, mark.column)?;
        }
        if !self.key.is_root() {
            write!(line, ": {}", self.key)?;
        }
        write!(line, ": {}", self.fault)?;
        let mut cause = self.fault.source();
        while let Some(error) = cause {
            write!(line, ": {error}")?;
            cause = error.source();
        }
        line.chars().try_for_each(|character| {
            if character.is_control() {
                write!(formatter, "{}", character.escape_default())
            } else {
                formatter.write_char(character)
            }
        })
    }
}

impl Error for Problem {}

impl fmt::Display for Problems {
    /// A line for each.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index + 1 == self.0.len() { "" } else { "\n" };
            write!(formatter, "{problem}{end}")?;
        }
        Ok(())
    }
}

impl Error for Problems {}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.key, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_whatever_was_found() {
        let problem = Problem {
            file: PathBuf::from("mlgate.yml"),
            mark: Some(Mark { line: 2, column: 3 }),
            key: KeyPath::root().key("a\nb"),
            fault: Fault::Unexpected {
                found: Found::Text(format!("x\n\u{1b}[2J{}", "y".repeat(100))),
                expected: "a text".to_owned(),
            },
        };
        let line = problem.to_string();
        assert!(!line.chars().any(char::is_control), "{line}");
        assert!(line.starts_with("mlgate.yml:2:3: a\\nb: found [x\\n\\u{1b}[2Jyyy"), "{line}");
        assert!(line.ends_with("y...], expected a text"), "{line}");
    }
}
