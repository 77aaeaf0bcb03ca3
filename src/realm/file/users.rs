//! The `users` file: `name:hash`, one user a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::line::{Lines, NameProblem, check_name, is_skipped};
use super::password::{HashProblem, PasswordHash};

/// The users of a file realm and the hashes of their passwords.
#[derive(Clone, Debug, Default)]
pub struct Users {
    hashes: BTreeMap<String, Arc<PasswordHash>>,
}

/// One line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct UsersProblem {
    /// From 1.
    pub line: usize,
    pub cause: UsersCause,
}

/// What is wrong with a line of `users`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsersCause {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("expected name:hash")]
    NoColon,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error(transparent)]
    Hash(#[from] HashProblem),
    #[error("user [{0}] is already there")]
    Twice(String),
}

impl Users {
    /// Reads the file. Lines that start with `#` and blank ones are skipped, white space around a line is dropped.
    ///
    /// Stricter than Elasticsearch, which skips a malformed line and lets the last of two equal names win.
    ///
    /// # Errors
    /// Every malformed line.
    ///
    /// Source: Elasticsearch, `FileUserPasswdStore.java`.
    pub fn parse(file: &[u8]) -> Result<Self, Vec<UsersProblem>> {
        let mut users = Self::default();
        let mut problems = Vec::new();
        for (line, text) in Lines::of(file) {
            if let Err(cause) = text.ok_or(UsersCause::NotUtf8).and_then(|text| users.read_line(text)) {
                problems.push(UsersProblem { line, cause });
            }
        }
        if problems.is_empty() { Ok(users) } else { Err(problems) }
    }

    fn read_line(&mut self, line: &str) -> Result<(), UsersCause> {
        if is_skipped(line) {
            return Ok(());
        }
        let (name, hash) = line.trim().split_once(':').ok_or(UsersCause::NoColon)?;
        check_name(name)?;
        let hash = PasswordHash::parse(hash)?;
        if self.hashes.contains_key(name) {
            return Err(UsersCause::Twice(name.to_owned()));
        }
        self.hashes.insert(name.to_owned(), Arc::new(hash));
        Ok(())
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether nobody can log in.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether there is a user of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.hashes.contains_key(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(String::as_str)
    }

    pub(in crate::realm) fn hash(&self, name: &str) -> Option<&Arc<PasswordHash>> {
        self.hashes.get(name)
    }

    pub(in crate::realm) fn hashes(&self) -> impl Iterator<Item = &Arc<PasswordHash>> {
        self.hashes.values()
    }
}
