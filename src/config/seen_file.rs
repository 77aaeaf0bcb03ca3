//! What a file was like when it was read, so that a later change is seen.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file, as it was just before it was read: a change during the reading counts as one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    pub path: PathBuf,
    /// Number, size and time of change; `None`: it was not there.
    facts: Option<(u64, u64, i64, i64)>,
}

impl SeenFile {
    /// Looks at it now.
    pub fn look(path: &Path) -> Self {
        let facts = fs::metadata(path).ok();
        let facts = facts.map(|facts| (facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()));
        Self { path: path.to_path_buf(), facts }
    }

    /// Whether it is another one now.
    pub fn has_changed(&self) -> bool {
        *self != Self::look(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_appears_or_goes_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let none = SeenFile::look(&path);
        assert!(!none.has_changed());
        fs::write(&path, "a").unwrap();
        assert!(none.has_changed());
        let one = SeenFile::look(&path);
        assert!(!one.has_changed());
        fs::write(&path, "ab").unwrap();
        assert!(one.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(one.has_changed() && !none.has_changed());
    }
}
