//! Lines and names of Elasticsearch's `users` and `users_roles`.

/// Longest name, in characters. Elasticsearch: `Validation.MAX_NAME_LENGTH`.
const NAME_CHARACTERS_MAX: usize = 1024;

/// Why a text is no name of a user or role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    #[error("a name is needed")]
    Empty,
    #[error("a name has at most {NAME_CHARACTERS_MAX} characters")]
    TooLong,
    #[error("[{0}] may hold printable ASCII characters and spaces only")]
    Character(String),
    #[error("[{0}] starts or ends with a space")]
    OuterSpace(String),
}

/// Takes a name of a user or role: 1 to 1,024 printable ASCII characters, no space at either end.
///
/// Source: Elasticsearch, `Validation.java`.
///
/// # Errors
/// Which rule is broken.
pub fn check_name(name: &str) -> Result<(), NameProblem> {
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    if name.len() > NAME_CHARACTERS_MAX {
        return Err(NameProblem::TooLong);
    }
    if !name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(NameProblem::Character(name.escape_debug().to_string()));
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(NameProblem::OuterSpace(name.to_owned()));
    }
    Ok(())
}

/// Whether a line is a comment or blank. As in Elasticsearch a comment starts in the first column.
pub(super) fn is_skipped(line: &str) -> bool {
    line.starts_with('#') || line.trim().is_empty()
}

/// The lines of a file with their numbers from 1; `None` for a line that is not UTF-8.
pub(super) struct Lines;

impl Lines {
    pub(super) fn of(file: &[u8]) -> impl Iterator<Item = (usize, Option<&str>)> {
        let numbered = file.split(|byte| *byte == b'\n').enumerate();
        numbered.map(|(index, line)| (index + 1, std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()))
    }
}
