//! The world around the machines: what there is, and what can happen.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use mlgate::policy::UpgradeRule;
use mlgate::policy::upgrade_mode::{Event, GateAnswer, GateState, Machine, Next, WhenUnknown, decide};
use stateright::{Model, Property};

/// How much may happen: more states than memory holds otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bounds {
    /// Requests to switch the mode.
    pub(super) switches: u8,
    /// Switches that go past the gateways: directly, by a reset, by a migration.
    pub(super) others: u8,
    /// Requests that the cluster carries out after it was given up.
    pub(super) late: u8,
    /// Restarts of gateways.
    pub(super) restarts: u8,
}

pub(super) struct Gateways {
    pub(super) count: usize,
    pub(super) bounds: Bounds,
    pub(super) when_unknown: WhenUnknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    cluster: Cluster,
    gateways: Vec<Gateway>,
    left: Bounds,
    /// Whether anybody will ever read the journals.
    has_journal: bool,
    /// A promise that was broken.
    broken: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cluster {
    enabled: bool,
    /// A task writes.
    writes: bool,
    /// A request that was given up, in the queue of the master.
    late: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Gateway {
    machine: Machine,
    next: Next,
    /// Somebody waits for an answer to a switch.
    asked: Option<bool>,
    /// A request that starts ML work was let through and has not ended.
    admitted: bool,
    /// What the watcher's look has found and not told yet, with the epoch from before it.
    look: Option<(u64, bool)>,
    journal: GateState,
    /// It said that the mode is on, and the mode was never off since.
    acknowledged: bool,
}

/// Of epochs only counts whether a look is of the present one: worlds that differ in nothing else are one.
impl Hash for Gateway {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let machine = &self.machine;
        let known = (machine.state(), machine.is_proved(), machine.is_doubted(), machine.switch(), machine.age(NOW));
        let look = self.look.filter(|(epoch, _)| *epoch == machine.epoch()).map(|(_, enabled)| enabled);
        (known, look, self.next, self.asked, self.admitted, self.journal, self.acknowledged).hash(hasher);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Switch(usize, bool),
    /// A request that starts ML work comes to the gateway.
    Open(usize),
    /// It arrives at the cluster and ends.
    Arrive(usize),
    /// The switch goes on by a step.
    Drive(usize, Outcome),
    Journal(usize),
    BeginLook(usize),
    EndLook(usize),
    /// The watcher looks at the tasks.
    Prove(usize),
    Restart(usize, Outcome),
    /// A task of the cluster ends, or starts where the mode is off.
    Task,
    /// The mode is switched past the gateways.
    Others,
    /// What was given up is carried out.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Good,
    /// Done, and nobody is told.
    Lost,
    /// Not done.
    Bad,
    /// Done after it was given up.
    Late,
}

const OUTCOMES: [Outcome; 4] = [Outcome::Good, Outcome::Lost, Outcome::Bad, Outcome::Late];
/// Ages are for the machine's own tests: the youngest view lets the most through.
const NOW: Duration = Duration::ZERO;

impl Model for Gateways {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let gateway = Gateway {
            machine: Machine::unknown(),
            next: Next::Rest,
            asked: None,
            admitted: false,
            look: None,
            journal: GateState::Unknown,
            acknowledged: false,
        };
        let world = |enabled| World {
            cluster: Cluster { enabled, writes: false, late: None },
            gateways: vec![gateway.clone(); self.count],
            left: self.bounds,
            has_journal: self.bounds.restarts > 0,
            broken: None,
        };
        vec![world(false), world(true)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for at in 0..self.count {
            actions.extend([Action::Switch(at, true), Action::Switch(at, false)]);
            actions.extend([Action::Open(at), Action::Arrive(at), Action::Prove(at)]);
            actions.extend([Action::BeginLook(at), Action::EndLook(at)]);
            actions.extend(OUTCOMES.map(|outcome| Action::Drive(at, outcome)));
            if self.bounds.restarts > 0 {
                actions.extend([
                    Action::Journal(at),
                    Action::Restart(at, Outcome::Bad),
                    Action::Restart(at, Outcome::Late),
                ]);
            }
        }
        actions.extend([Action::Task, Action::Others]);
        actions.extend(world.cluster.late.map(|_| Action::Late));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Switch(at, enabled) => world.switch(at, enabled)?,
            Action::Open(at) => world.open(at, self.when_unknown)?,
            Action::Arrive(at) => world.arrive(at)?,
            Action::Drive(at, outcome) => world.drive(at, outcome)?,
            Action::Journal(at) => world.gateways[at].journal = world.gateways[at].machine.state(),
            Action::BeginLook(at) => {
                let gateway = &mut world.gateways[at];
                gateway.look = Some((gateway.machine.epoch(), world.cluster.enabled));
            }
            Action::EndLook(at) => world.end_look(at)?,
            Action::Prove(at) => world.prove(at)?,
            Action::Restart(at, outcome) => world.restart(at, outcome)?,
            Action::Task => world.task(),
            Action::Others => {
                world.left.others = world.left.others.checked_sub(1)?;
                world.set(!world.cluster.enabled);
            }
            Action::Late => {
                let enabled = world.cluster.late.take()?;
                world.set(enabled);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no promise is broken", |_, world: &World| world.broken.is_none()),
            Property::always("after an acknowledgement no task writes", |_, world: &World| {
                !(world.cluster.writes && world.gateways.iter().any(|gateway| gateway.acknowledged))
            }),
            Property::always("every request is answered, and what the cluster says is followed", |_, world: &World| {
                (0..world.gateways.len()).all(|at| world.settles(at))
            }),
            Property::sometimes("a switch is acknowledged", |_, world: &World| {
                world.gateways.iter().any(|gateway| gateway.acknowledged)
            }),
            Property::sometimes("a request waits for one that was admitted", |_, world: &World| {
                world.gateways.iter().any(|gateway| gateway.admitted && gateway.next == Next::Drain)
            }),
            Property::sometimes("a task of before still writes while the fence is up", |_, world: &World| {
                world.cluster.writes && world.gateways.iter().any(|gateway| gateway.machine.state().is_fenced())
            }),
        ]
    }
}

impl World {
    fn switch(&mut self, at: usize, enabled: bool) -> Option<()> {
        self.left.switches = self.left.switches.checked_sub(1)?;
        let gateway = &mut self.gateways[at];
        let (machine, next) = gateway.machine.on(Event::Requested { enabled }, NOW);
        // A second one is refused at once: that is an answer.
        if next != Next::Busy {
            (gateway.machine, gateway.next, gateway.asked) = (machine, next, Some(enabled));
        }
        Some(())
    }

    fn open(&mut self, at: usize, when_unknown: WhenUnknown) -> Option<()> {
        let gateway = &mut self.gateways[at];
        let state = gateway.machine.state_at(NOW, NOW);
        let answer = decide(state, UpgradeRule::Refused, false, when_unknown);
        if answer != GateAnswer::Pass || gateway.admitted {
            return None;
        }
        if gateway.acknowledged {
            self.broken = Some("ML work was let through after an acknowledgement");
        }
        gateway.admitted = true;
        Some(())
    }

    fn arrive(&mut self, at: usize) -> Option<()> {
        if !std::mem::take(&mut self.gateways[at].admitted) {
            return None;
        }
        self.cluster.writes |= !self.cluster.enabled;
        Some(())
    }

    /// What the gate does for a switch, with each way in which it can end.
    fn drive(&mut self, at: usize, outcome: Outcome) -> Option<()> {
        let wanted = self.gateways[at].asked?;
        let epoch = self.gateways[at].machine.epoch();
        let event = match (self.gateways[at].next, outcome) {
            (Next::Drain, Outcome::Good) if !self.gateways[at].admitted => Event::Drained,
            (Next::Drain, Outcome::Bad) => Event::DrainTimedOut,
            (Next::Ask, _) if self.has_journal && self.gateways[at].journal != self.gateways[at].machine.state() => {
                return None;
            }
            (Next::Ask, outcome) => self.asked(wanted, outcome)?,
            (Next::Verify, Outcome::Good) if self.shows(wanted) => Event::Verified { epoch },
            (Next::Verify, Outcome::Bad) => Event::NotProved,
            (Next::Look, Outcome::Good) => Event::Found { enabled: self.cluster.enabled },
            (Next::Look, Outcome::Bad) => Event::Unheard,
            _ => return None,
        };
        self.happens(at, event);
        Some(())
    }

    /// The cluster is asked. It acknowledges early, too: at once, whatever still writes.
    fn asked(&mut self, wanted: bool, outcome: Outcome) -> Option<Event> {
        match outcome {
            Outcome::Good | Outcome::Lost => self.set(wanted),
            Outcome::Bad => return Some(Event::Refused),
            Outcome::Late => {
                self.left.late = self.left.late.checked_sub(1)?;
                self.cluster.late = Some(wanted);
            }
        }
        Some(if outcome == Outcome::Good { Event::Acknowledged { trusted: false } } else { Event::TimedOut })
    }

    fn shows(&self, wanted: bool) -> bool {
        self.cluster.enabled == wanted && !(wanted && self.cluster.writes)
    }

    fn happens(&mut self, at: usize, event: Event) {
        let gateway = &mut self.gateways[at];
        (gateway.machine, gateway.next) = gateway.machine.on(event, NOW);
        match gateway.next {
            Next::Acknowledge if gateway.asked == Some(true) => {
                if self.cluster.writes || gateway.admitted {
                    self.broken = Some("acknowledged while something writes");
                }
                gateway.acknowledged = true;
                gateway.asked = None;
            }
            Next::Acknowledge | Next::Fail => gateway.asked = None,
            Next::Rest | Next::Busy | Next::Drain | Next::Ask | Next::Verify | Next::Look => {}
        }
    }

    fn end_look(&mut self, at: usize) -> Option<()> {
        let (epoch, enabled) = self.gateways[at].look.take()?;
        let gateway = &mut self.gateways[at];
        let (machine, next) = gateway.machine.on(Event::Observed { epoch, enabled }, NOW);
        gateway.machine = machine;
        if gateway.asked.is_none() && next == Next::Look {
            gateway.look = Some((epoch, self.cluster.enabled));
        }
        Some(())
    }

    fn prove(&mut self, at: usize) -> Option<()> {
        let shown = self.shows(true);
        let gateway = &mut self.gateways[at];
        if !shown || gateway.asked.is_some() || gateway.machine.is_proved() {
            return None;
        }
        let epoch = gateway.machine.epoch();
        gateway.machine = gateway.machine.on(Event::Verified { epoch }, NOW).0;
        Some(())
    }

    /// Callers and connections are gone; what was on its way to the cluster may still come in.
    fn restart(&mut self, at: usize, outcome: Outcome) -> Option<()> {
        self.left.restarts = self.left.restarts.checked_sub(1)?;
        let gateway = &mut self.gateways[at];
        if outcome == Outcome::Late {
            let (Next::Ask, Some(wanted)) = (gateway.next, gateway.asked) else { return None };
            if gateway.journal != gateway.machine.state() {
                return None;
            }
            self.left.late = self.left.late.checked_sub(1)?;
            self.cluster.late = Some(wanted);
        }
        gateway.machine = Machine::restored(gateway.journal);
        (gateway.next, gateway.asked, gateway.admitted, gateway.look) = (Next::Rest, None, false, None);
        Some(())
    }

    fn task(&mut self) {
        self.cluster.writes = !self.cluster.writes && !self.cluster.enabled;
    }

    fn set(&mut self, enabled: bool) {
        self.cluster.enabled = enabled;
        if !enabled {
            self.gateways.iter_mut().for_each(|gateway| gateway.acknowledged = false);
        }
    }

    /// With every wait timed out from here on, the caller gets its answer, and after three looks the gate is where the
    /// cluster is.
    fn settles(&self, at: usize) -> bool {
        let mut world = self.clone();
        for _ in 0..8 {
            let outcome = if world.gateways[at].next == Next::Look { Outcome::Good } else { Outcome::Bad };
            world.gateways[at].journal = world.gateways[at].machine.state();
            if world.drive(at, outcome).is_none() {
                break;
            }
        }
        let gateway = &mut world.gateways[at];
        if gateway.asked.is_some() || gateway.machine.switch().is_some() {
            return false;
        }
        for _ in 0..3 {
            let seen = Event::Observed { epoch: gateway.machine.epoch(), enabled: world.cluster.enabled };
            gateway.machine = gateway.machine.on(seen, NOW).0;
        }
        gateway.machine.state() == if world.cluster.enabled { GateState::On } else { GateState::Off }
    }
}
