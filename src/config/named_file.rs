//! Reads files that are named by a person: with a limit, and with an error that says which.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("is not UTF-8 text")]
    NotText,
}

/// Everything in a file.
///
/// # Errors
/// It cannot be opened or read, or has more than `limit` bytes.
pub(super) fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileFault> {
    let file = File::open(path).map_err(FileFault::Unreadable)?;
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content).map_err(FileFault::Unreadable)?;
    if u64::try_from(content.len()).is_ok_and(|length| length <= limit) {
        Ok(content)
    } else {
        Err(FileFault::TooLarge { limit })
    }
}

/// Everything in a file, as text.
///
/// # Errors
/// As [`bytes()`], or it is not UTF-8.
pub(super) fn text(path: &Path, limit: u64) -> Result<String, FileFault> {
    String::from_utf8(bytes(path, limit)?).map_err(|_| FileFault::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(text(&path, 5).unwrap(), "12345");
        assert!(matches!(text(&path, 4), Err(FileFault::TooLarge { limit: 4 })));
        std::fs::write(&path, [0xff]).unwrap();
        assert!(matches!(text(&path, 5), Err(FileFault::NotText)));
        assert!(matches!(bytes(folder.path(), 5), Err(FileFault::Unreadable(_))));
    }
}
