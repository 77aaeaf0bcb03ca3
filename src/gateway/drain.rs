//! The end of a worker: its connections are told to finish.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::task::Waker;

/// The connections of one worker, and whether they shall end.
#[derive(Default)]
pub(super) struct Drain {
    draining: Cell<bool>,
    next: Cell<u64>,
    connections: RefCell<HashMap<u64, Option<Waker>>>,
    emptied: RefCell<Option<Waker>>,
}

/// One connection in the list, until it is dropped.
pub(super) struct Listed {
    drain: Rc<Drain>,
    id: u64,
}

impl Drain {
    pub(super) fn enlist(self: &Rc<Self>) -> Listed {
        let id = self.next.get();
        self.next.set(id.wrapping_add(1));
        self.connections.borrow_mut().insert(id, None);
        Listed { drain: Rc::clone(self), id }
    }

    /// Read on each turn of a connection: a plain cell.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Wakes every connection, so that it sees that it shall end.
    pub(super) fn start(&self) {
        self.draining.set(true);
        let wakers: Vec<Waker> = self.connections.borrow_mut().values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Until the last connection has ended.
    pub(super) async fn emptied(&self) {
        std::future::poll_fn(|cx| {
            if self.connections.borrow().is_empty() {
                return std::task::Poll::Ready(());
            }
            *self.emptied.borrow_mut() = Some(cx.waker().clone());
            std::task::Poll::Pending
        })
        .await;
    }

    pub(super) fn count(&self) -> usize {
        self.connections.borrow().len()
    }
}

impl Listed {
    /// Keeps the waker of the connection's task; needed once, a task keeps its waker.
    pub(super) fn wake_by(&self, waker: &Waker) {
        if let Some(kept) = self.drain.connections.borrow_mut().get_mut(&self.id) {
            *kept = Some(waker.clone());
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.drain.is_draining()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut connections = self.drain.connections.borrow_mut();
        connections.remove(&self.id);
        if connections.is_empty()
            && let Some(waker) = self.drain.emptied.borrow_mut().take()
        {
            waker.wake();
        }
    }
}
