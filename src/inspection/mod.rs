//! Reads the bodies of requests, as far as they decide whether a request reaches ML.
//!
//! Strict where parsers differ: what Elasticsearch may read and this does not (comments, other encodings, two values
//! behind each other) is [`Unread`], never taken to be harmless. What counts is decided by `policy`.
//!
//! **Invariant**: what is held in memory has a limit that the caller of this module gives.

mod action_line;
mod bulk;
mod document;
mod inflate;
mod media;

pub use bulk::BulkReader;
pub use document::{read_document, read_nothing};
pub use media::{Encoding, encoding};

use crate::policy::Doubt;

/// Why a body is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("its Content-Type is neither JSON nor NDJSON")]
    MediaType,
    #[error("its Content-Encoding is not [gzip]")]
    Encoding,
    #[error("it may stand in the parameter [source]")]
    InQuery,
    #[error("its path may be read in two ways")]
    OtherPath,
    #[error("it, or a line of it, is larger than [limits.inspect_buffer]")]
    TooLarge,
    #[error("the body is not strict JSON")]
    Malformed,
    /// `line` from 1.
    #[error("Malformed action/metadata line [{line}], expected one action in strict JSON")]
    MalformedAction { line: u64 },
    #[error("the body is not one whole gzip stream")]
    MalformedGzip,
    #[error("uncompressed it is larger than [limits.inspect_buffer], or, as a bulk, than [limits.max_content_length]")]
    Inflated,
}

impl Unread {
    /// Whether Elasticsearch would not take it either, for all that is known.
    pub const fn is_malformed(self) -> bool {
        match self {
            Self::Malformed | Self::MalformedAction { .. } | Self::MalformedGzip => true,
            Self::MediaType | Self::Encoding | Self::InQuery | Self::OtherPath | Self::TooLarge | Self::Inflated => {
                false
            }
        }
    }
}

impl From<Doubt> for Unread {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::SourceInQuery => Self::InQuery,
            Doubt::OtherPath => Self::OtherPath,
        }
    }
}

/// What ends the reading of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It reaches this of ML.
    Reaches(String),
    Unread(Unread),
}

impl From<Unread> for Finding {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}
