//! The store: one crash-safe file, one writer thread, group commit.
//!
//! Every change is a [`Batch`]. The writer thread takes all batches that wait, applies them one after another in one transaction,
//! syncs it, and only then answers each. `docs/decisions/0001-store.md` says why it is redb.

mod apply;
mod backend;
mod batch;
mod engine;
mod error;
mod folder;
mod guarded;
mod handle;
pub mod identifiers;
mod overlay;
mod reader;
mod record;
mod tables;
mod writer;

pub use apply::PRIMARY_TERM;
pub use backend::SizeLimit;
pub use batch::{Batch, Committed, DocumentWrite, Expected, Operation, Outcome, Source, WriteKind, Written};
pub use error::{OpenError, OperationError, StoreError};
pub use handle::Store;
pub use identifiers::document_id;
pub use reader::{Counters, Reader, Step};
pub use record::Head;

#[cfg(test)]
mod tests;
