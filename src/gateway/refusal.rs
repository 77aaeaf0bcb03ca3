//! What is said to a caller whose body reaches ML.

use std::time::SystemTime;

use crate::gate::Held;
use crate::inspection::Finding;
use crate::policy::{Denial, Perimeter};
use crate::rejection::Rejection;

/// Worked out before the body has come, for what may be in it.
pub(super) struct Refusal {
    rule: Perimeter,
    lacks: Lacks,
}

/// What the request lacks to be let through.
pub(super) enum Lacks {
    Caller,
    Privilege {
        denial: Box<Denial>,
        username: String,
    },
    /// The caller may, but upgrade mode is on.
    Time {
        held: Held,
        now: SystemTime,
    },
}

impl Refusal {
    pub(super) const fn new(rule: Perimeter, lacks: Lacks) -> Self {
        Self { rule, lacks }
    }

    pub(super) const fn rule(&self) -> Perimeter {
        self.rule
    }

    pub(super) fn of(&self, finding: Finding) -> Rejection {
        match &self.lacks {
            Lacks::Caller => Rejection::Missing,
            Lacks::Privilege { denial, username } => {
                let (denial, username) = (denial.clone(), username.clone());
                match finding {
                    Finding::Reaches(name) => Rejection::Denied { denial, username, on: Some(name) },
                    Finding::Unread(unread) => Rejection::Uninspected { unread, denial, username },
                }
            }
            Lacks::Time { held, now } => {
                Rejection::Held { held: held.clone(), action: None, job_reset: false, now: *now }
            }
        }
    }
}
