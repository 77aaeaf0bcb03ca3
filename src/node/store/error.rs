//! Why a folder was not opened, a batch not written, an operation refused.

use std::path::PathBuf;

use thiserror::Error;

use crate::elasticsearch::error_body::Exception;
use crate::node::http::ApiError;

/// A data folder that is not opened; nothing in it was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("data folder [{}] is in use by another process", .0.display())]
    Locked(PathBuf),
    #[error("data folder [{}] holds files that are not of mlgate's node, such as [{found}]; choose another folder", path.display())]
    Foreign { path: PathBuf, found: String },
    #[error("store [{}] is damaged and was left as it is: {problem}; put back a copy of it, or choose another folder", path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error("store [{}] has format version [{found}], this program reads [{expected}]", path.display())]
    Version { path: PathBuf, found: u64, expected: u64 },
    #[error("cannot use data folder [{}]", path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

/// A batch that is not on disk, or a read that failed.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// The disk is full, or the file may not grow.
    #[error("no space is left for the store")]
    Full,
    /// Reading or writing failed; the store is reopened by the next write.
    #[error("the store is not available: {problem}")]
    Unavailable { problem: String },
    /// Too many batches wait.
    #[error("too many writes are waiting")]
    Busy,
    /// The node is stopping.
    #[error("the store is closed")]
    Closed,
    /// [`super::Batch::expect_state`] did not hold.
    #[error("state [{key}] has changed")]
    Expectation { key: String },
    /// A stored record cannot be read.
    #[error("record [{key}] of the store cannot be read")]
    Record { key: String },
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Full => Self::new(429, Exception::new("cluster_block_exception", DISK_FULL)),
            StoreError::Busy => Self::new(429, Exception::new("es_rejected_execution_exception", text)),
            StoreError::Unavailable { .. } | StoreError::Closed => {
                Self::new(503, Exception::new("no_shard_available_action_exception", "the store is not available"))
            }
            StoreError::Expectation { .. } => Self::new(409, Exception::new("version_conflict_engine_exception", text)),
            StoreError::Record { .. } => Self::new(500, Exception::new("illegal_state_exception", text)),
        }
    }
}

/// Elasticsearch's text when the flood-stage watermark is passed.
const DISK_FULL: &str = "blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has \
                         read-only-allow-delete block];";

/// One operation of a batch that was refused; the others of the batch are in force.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum OperationError {
    #[error("no such index [{index}]")]
    IndexMissing { index: String },
    #[error("index [{index}/{uuid}] already exists")]
    IndexExists { index: String, uuid: String },
    #[error("Invalid index name [{index}], {problem}")]
    IndexName { index: String, problem: &'static str },
    #[error("[{id}]: version conflict, document already exists (current version [{version}])")]
    DocumentExists { index: String, uuid: String, id: String, version: u64 },
    #[error(
        "[{id}]: version conflict, required seqNo [{required}], primary term [{required_term}]. but no document was found"
    )]
    ConflictMissing { index: String, uuid: String, id: String, required: u64, required_term: u64 },
    #[error(
        "[{id}]: version conflict, required seqNo [{required}], primary term [{required_term}]. current document has seqNo [{seq_no}] and primary term [{primary_term}]"
    )]
    Conflict {
        index: String,
        uuid: String,
        id: String,
        required: u64,
        required_term: u64,
        seq_no: u64,
        primary_term: u64,
    },
    #[error("id [{id}] is too long, must be no longer than 512 bytes but was: {length}")]
    IdTooLong { id: String, length: usize },
    #[error(
        "failed to parse field [{field}] of type [{kind}] in document with id '{id}'. Preview of field's value: '{preview}'"
    )]
    Field { field: String, kind: &'static str, id: String, preview: String, cause: String },
    #[error("failed to parse")]
    NotJson { problem: String },
    #[error("the document is not an object")]
    NotAnObject,
    #[error("mapping set to strict, dynamic introduction of [{field}] within [_doc] is not allowed")]
    StrictDynamic { field: String },
    #[error("Limit of total fields [{limit}] has been exceeded")]
    TooManyFields { limit: usize },
    #[error("{problem}")]
    Mapping { problem: String },
    #[error("{problem}")]
    Setting { problem: String },
    #[error("{problem}")]
    Body { problem: String },
}

impl OperationError {
    pub fn status(&self) -> u16 {
        match self {
            Self::IndexMissing { .. } => 404,
            Self::DocumentExists { .. } | Self::ConflictMissing { .. } | Self::Conflict { .. } => 409,
            Self::IndexExists { .. }
            | Self::IndexName { .. }
            | Self::IdTooLong { .. }
            | Self::Field { .. }
            | Self::NotJson { .. }
            | Self::NotAnObject
            | Self::StrictDynamic { .. }
            | Self::TooManyFields { .. }
            | Self::Mapping { .. }
            | Self::Body { .. }
            | Self::Setting { .. } => 400,
        }
    }
}

impl From<OperationError> for ApiError {
    fn from(error: OperationError) -> Self {
        let status = error.status();
        let reason = error.to_string();
        let exception = match error {
            OperationError::IndexMissing { index } => return Self::index_not_found(&index),
            OperationError::IndexExists { index, uuid } => {
                about("resource_already_exists_exception", reason, index, uuid)
            }
            OperationError::IndexName { index, .. } => {
                about("invalid_index_name_exception", reason, index, "_na_".to_owned())
            }
            OperationError::DocumentExists { index, uuid, .. }
            | OperationError::ConflictMissing { index, uuid, .. }
            | OperationError::Conflict { index, uuid, .. } => {
                Exception::new("version_conflict_engine_exception", reason)
                    .with("index_uuid", uuid.into())
                    .with("shard", "0".into())
                    .with("index", index.into())
            }
            OperationError::IdTooLong { .. } => Exception::new("illegal_argument_exception", reason),
            OperationError::Field { cause, .. } => Exception::new("document_parsing_exception", reason)
                .caused_by(Exception::new("illegal_argument_exception", cause)),
            OperationError::NotJson { problem } => Exception::new("document_parsing_exception", reason)
                .caused_by(Exception::new("json_parse_exception", problem)),
            OperationError::NotAnObject => {
                Exception::new("document_parsing_exception", "failed to parse").caused_by(Exception::new(
                    "not_x_content_exception",
                    "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes",
                ))
            }
            OperationError::StrictDynamic { .. } => Exception::new("strict_dynamic_mapping_exception", reason),
            OperationError::TooManyFields { .. } => Exception::new("document_parsing_exception", reason),
            OperationError::Mapping { .. } => Exception::new("mapper_parsing_exception", reason),
            OperationError::Body { .. } => Exception::new("parse_exception", reason),
            OperationError::Setting { .. } => Exception::new("illegal_argument_exception", reason),
        };
        Self::new(status, exception)
    }
}

fn about(kind: &'static str, reason: String, index: String, uuid: String) -> Exception {
    Exception::new(kind, reason).with("index_uuid", uuid.into()).with("index", index.into())
}

impl ApiError {
    /// 404 `index_not_found_exception` with its `resource.*` members.
    pub fn index_not_found(index: &str) -> Self {
        let exception = Exception::new("index_not_found_exception", format!("no such index [{index}]"))
            .with("resource.type", "index_or_alias".into())
            .with("resource.id", index.into())
            .with("index_uuid", "_na_".into())
            .with("index", index.into());
        Self::new(404, exception)
    }
}
