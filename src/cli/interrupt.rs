//! Ctrl-C ends a command in order: with a word about what goes on without it.

use std::future::{Future, pending};

/// The outcome of `operation`; `None` if Ctrl-C came first.
pub(super) async fn unless_interrupted<T>(operation: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        outcome = operation => Some(outcome),
        () = interrupted() => None,
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // It cannot be listened to: the system then ends the process by itself.
        pending::<()>().await;
    }
}
