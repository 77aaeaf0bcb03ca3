//! The gate itself: its view, the requests admitted through it, and the fence.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore};

use super::view::{FenceFacts, View};
use super::{Control, Settings};
use crate::policy::UpgradeRule;
use crate::policy::upgrade_mode::{GateAnswer, GateState, decide, effective};

/// The upgrade-mode gate of one cluster.
pub struct Gate {
    pub(super) cluster: String,
    settings: ArcSwap<Settings>,
    control: ArcSwap<Control>,
    view: ArcSwap<View>,
    /// Serializes changes of the view; its number counts the requests to switch, so that an older look cannot undo one.
    changes: Mutex<u64>,
    /// Admitted requests that have not ended, a cell a worker: written by that worker alone.
    admitted: Box<[Cell]>,
    /// Told when an admitted request ends while the fence is up.
    ended: Notify,
    /// One request to switch at a time.
    pub(super) switching: Semaphore,
}

/// On a cache line of its own, so that workers do not slow each other down.
#[derive(Default)]
#[repr(align(128))]
struct Cell(AtomicUsize);

/// Why a request is held at the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// The mode is on, or being switched.
    Fenced(FenceFacts),
    /// The cluster has not said, or not lately.
    Unknown,
}

impl Gate {
    /// A gate in the state that the journal remembers, or unknown, until the cluster is heard.
    pub fn new(
        cluster: String,
        settings: Settings,
        control: Control,
        workers: usize,
        remembered: Option<View>,
    ) -> Arc<Self> {
        let view = remembered.unwrap_or_else(|| View::unknown(Instant::now()));
        Arc::new(Self {
            cluster,
            settings: ArcSwap::from_pointee(settings),
            control: ArcSwap::from_pointee(control),
            view: ArcSwap::from_pointee(view),
            changes: Mutex::new(0),
            admitted: (0..workers.max(1)).map(|_| Cell::default()).collect(),
            ended: Notify::new(),
            switching: Semaphore::new(1),
        })
    }

    /// The handle of one worker; `index` below the number of workers given to [`Gate::new`].
    pub fn worker(self: &Arc<Self>, index: usize) -> WorkerGate {
        let index = index % self.admitted.len();
        WorkerGate(Rc::new(Handle { gate: Arc::clone(self), index }))
    }

    /// Goes on with other settings and another way to the cluster; the view and what is in flight stay.
    pub fn rearrange(&self, settings: Settings, control: Control) {
        self.settings.store(Arc::new(settings));
        self.control.store(Arc::new(control));
    }

    pub(super) fn settings(&self) -> arc_swap::Guard<Arc<Settings>> {
        self.settings.load()
    }

    pub(super) fn control(&self) -> Control {
        Control::clone(&self.control.load())
    }

    /// The cluster it belongs to.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// What is known now, without regard to its age.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The state that counts now: an old view of an open gate is unknown.
    pub fn state(&self) -> GateState {
        let view = self.view.load();
        effective(view.state, view.confirmed.elapsed(), self.settings().max_staleness)
    }

    /// Admitted requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.admitted.iter().map(|cell| cell.0.load(Ordering::SeqCst)).sum()
    }

    /// The number of the latest request to switch; hand it to [`Gate::observe`] with what was seen after.
    pub(super) fn epoch(&self) -> u64 {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a switch: puts up `state` and its facts, and makes looks that began before it count for nothing.
    pub(super) fn begin(&self, state: GateState, facts: FenceFacts) {
        let mut epoch = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        *epoch += 1;
        // A fence that is up already keeps its own facts: who raised it stays known while it is lowered.
        let facts = self.view.load().fence.clone().unwrap_or(facts);
        self.view.store(Arc::new(View { state, confirmed: Instant::now(), fence: Some(facts) }));
    }

    /// Makes looks that began before it count for nothing; the state stays.
    pub(super) fn supersede(&self) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    /// Takes what the cluster says (`enabled`), unless a switch began after `epoch` was read.
    ///
    /// Gives the view before and after when the state changed.
    pub(super) fn observe(&self, epoch: u64, enabled: bool, wall: SystemTime) -> Option<(Arc<View>, Arc<View>)> {
        let current = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != epoch {
            return None;
        }
        let before = self.view.load_full();
        let fence = enabled.then(|| {
            let seen = FenceFacts { since: wall, by: None, reason: None };
            before.fence.clone().unwrap_or(seen)
        });
        let state = if enabled { GateState::On } else { GateState::Off };
        let after = Arc::new(View { state, confirmed: Instant::now(), fence });
        self.view.store(Arc::clone(&after));
        (before.state != after.state).then_some((before, after))
    }

    /// Waits until every request admitted before the fence went up has ended, at most until `deadline`.
    ///
    /// # Errors
    /// How many have not ended.
    pub(super) async fn drained(&self, deadline: tokio::time::Instant) -> Result<(), usize> {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable(); // from here on no end is missed
            if self.in_flight() == 0 {
                return Ok(());
            }
            if tokio::time::timeout_at(deadline, ended).await.is_err() {
                return match self.in_flight() {
                    0 => Ok(()),
                    left => Err(left),
                };
            }
        }
    }
}

/// One worker's handle of a gate.
#[derive(Clone)]
pub struct WorkerGate(Rc<Handle>);

struct Handle {
    gate: Arc<Gate>,
    index: usize,
}

impl WorkerGate {
    /// Lets a request through, or holds it. Never waits.
    ///
    /// `may_manage`: whether the caller has the cluster privilege `manage`, which writes to `.ml-*` need while the fence is up.
    ///
    /// # Errors
    /// [`Held`], after which nothing is counted.
    pub fn admit(&self, rule: UpgradeRule, may_manage: bool) -> Result<Admission, Held> {
        if matches!(rule, UpgradeRule::Passes | UpgradeRule::Switches) {
            return Ok(Admission(None));
        }
        let admission = self.counted();
        let gate = &self.0.gate;
        let view = gate.view.load();
        let settings = gate.settings();
        let state = effective(view.state, view.confirmed.elapsed(), settings.max_staleness);
        let passes = may_manage && rule == UpgradeRule::RefusedUnlessManage;
        match decide(state, rule, settings.when_unknown) {
            GateAnswer::Pass => Ok(admission),
            GateAnswer::Fenced | GateAnswer::Unknown if passes => Ok(Admission(None)),
            GateAnswer::Unknown => Err(Held::Unknown),
            GateAnswer::Fenced => Err(view.fence.clone().map_or(Held::Unknown, Held::Fenced)),
        }
    }

    /// The gate behind it.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.0.gate
    }

    /// Counts first and looks after: the fence goes up first and counts after. So one of the two sees the other.
    fn counted(&self) -> Admission {
        if let Some(cell) = self.0.gate.admitted.get(self.0.index) {
            cell.0.fetch_add(1, Ordering::SeqCst);
        }
        std::sync::atomic::fence(Ordering::SeqCst);
        Admission(Some(Rc::clone(&self.0)))
    }
}

/// Proof that the gate let a request through; the request counts as running until this is dropped.
pub struct Admission(Option<Rc<Handle>>);

impl Admission {
    /// The same request counted once more: both have to end.
    pub(crate) fn again(&self) -> Self {
        let Some(handle) = &self.0 else { return Self(None) };
        if let Some(cell) = handle.gate.admitted.get(handle.index) {
            cell.0.fetch_add(1, Ordering::SeqCst);
        }
        Self(Some(Rc::clone(handle)))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let Some(handle) = self.0.take() else { return };
        if let Some(cell) = handle.gate.admitted.get(handle.index) {
            cell.0.fetch_sub(1, Ordering::SeqCst);
        }
        std::sync::atomic::fence(Ordering::SeqCst);
        if handle.gate.view.load().fence.is_some() {
            handle.gate.ended.notify_waiters();
        }
    }
}
