//! The store: one crash-safe file, one writer thread, group commit.
//!
//! Every change is a [`Batch`]. The writer thread takes all batches that wait, applies them one after another in one transaction,
//! syncs it, and only then answers each. `docs/decisions/0001-store.md` says why it is redb.

mod batch;
mod error;
mod handle;

pub use batch::{Batch, Committed, DocumentWrite, Expected, Operation, Outcome, Source, WriteKind, Written};
pub use error::{OpenError, OperationError, StoreError};
pub use handle::Store;
