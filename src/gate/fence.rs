//! The gate itself: its view, the requests admitted through it, and the fence.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::journal::{Record, Remembered};
use super::standing::Standing;
use super::view::{FenceFacts, View};
use super::waiting::Running;
use super::{Control, Settings};
use crate::policy::UpgradeRule;
use crate::policy::upgrade_mode::{Event, GateAnswer, GateState, Next, decide};

/// The upgrade-mode gate of one cluster.
pub struct Gate {
    pub(super) cluster: String,
    settings: ArcSwap<Settings>,
    control: ArcSwap<Control>,
    view: ArcSwap<View>,
    /// Serializes changes of the view.
    changes: Mutex<()>,
    /// The machine counts time from here.
    started: Instant,
    /// Admitted requests that have not ended, a cell a worker: written by that worker alone.
    admitted: Box<[Cell]>,
    /// Told when an admitted request ends while the fence is up.
    ended: Notify,
    /// The switch that is carried out.
    pub(super) running: Mutex<Option<Arc<Running>>>,
    /// What ran when the mode went on, and what is not back.
    pub(super) standing: Mutex<Standing>,
    /// What the journal has; one write at a time.
    pub(super) written: tokio::sync::Mutex<Option<Record>>,
}

/// On a cache line of its own, so that workers do not slow each other down.
#[derive(Default)]
#[repr(align(128))]
struct Cell(AtomicUsize);

/// Why a request is held at the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// The mode is on, or being switched.
    Fenced { state: GateState, facts: FenceFacts },
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
        remembered: Option<Remembered>,
    ) -> Arc<Self> {
        let Remembered { view, standing } = remembered.unwrap_or_default();
        Arc::new(Self {
            cluster,
            settings: ArcSwap::from_pointee(settings),
            control: ArcSwap::from_pointee(control),
            view: ArcSwap::from_pointee(view),
            changes: Mutex::new(()),
            started: Instant::now(),
            admitted: (0..workers.max(1)).map(|_| Cell::default()).collect(),
            ended: Notify::new(),
            running: Mutex::new(None),
            standing: Mutex::new(standing),
            written: tokio::sync::Mutex::new(None),
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
        self.view.load().machine.state_at(self.now(), self.settings().max_staleness)
    }

    /// The present moment, as the machine counts time.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// How old the latest news from the cluster is; `None` before the first.
    pub fn age(&self) -> Option<Duration> {
        self.view.load().machine.age(self.now())
    }

    /// Admitted requests that have not ended.
    pub fn in_flight(&self) -> usize {
        self.admitted.iter().map(|cell| cell.0.load(Ordering::SeqCst)).sum()
    }

    /// Moves the machine; `at` as [`Gate::now`] gave it when what happened was looked for. A fence that goes up takes
    /// `facts`.
    pub(super) fn step(&self, event: Event, at: Duration, facts: FenceFacts) -> Step {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.view.load_full();
        let (machine, next) = before.machine.on(event, at);
        let after = Arc::new(before.moved(machine, facts));
        self.view.store(Arc::clone(&after));
        Step { before, after, next }
    }

    /// Waits until every request admitted before the fence went up has ended, as long as somebody has time left.
    ///
    /// # Errors
    /// How many have not ended.
    pub(super) async fn drained(&self, running: &Running) -> Result<(), usize> {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable(); // from here on no end is missed
            if self.in_flight() == 0 {
                return Ok(());
            }
            let deadline = running.deadline();
            if tokio::time::timeout_at(deadline, ended).await.is_err() && deadline == running.deadline() {
                return match self.in_flight() {
                    0 => Ok(()),
                    left => Err(left),
                };
            }
        }
    }
}

/// One move of the machine.
pub(super) struct Step {
    pub(super) before: Arc<View>,
    pub(super) after: Arc<View>,
    pub(super) next: Next,
}

/// One worker's handle of a gate.
#[derive(Clone)]
pub struct WorkerGate(Rc<Handle>);

struct Handle {
    gate: Arc<Gate>,
    index: usize,
}

impl WorkerGate {
    /// Since when the fence is up, by whom and why; `None` while it is down.
    pub fn facts(&self) -> Option<FenceFacts> {
        self.0.gate.view.load().fence.clone()
    }

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
        let state = view.machine.state_at(gate.now(), settings.max_staleness);
        match (decide(state, rule, may_manage, settings.when_unknown), &view.fence) {
            // What the fence is there for is not waited for when the mode is switched on once more.
            (GateAnswer::Pass, Some(_)) => Ok(Admission(None)),
            (GateAnswer::Pass, None) => Ok(admission),
            (GateAnswer::Fenced, Some(facts)) => Err(Held::Fenced { state, facts: facts.clone() }),
            (GateAnswer::Unknown, _) | (GateAnswer::Fenced, None) => Err(Held::Unknown),
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
