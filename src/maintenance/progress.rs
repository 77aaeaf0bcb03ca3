//! What an operation tells while it goes on: the command line draws it, tests record it.

/// Something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A wave of so many items begins.
    Wave { name: &'static str, items: usize },
    /// One item of the wave has ended, well or not.
    Item { id: &'a str, outcome: &'a str },
    /// An item took its share of the time, and is tried again when the others have had theirs.
    Late { id: &'a str },
    /// The wave is over.
    WaveEnded,
    /// What still runs, while an acknowledgement is waited for; repeated with every look.
    Running { tasks: &'a [String], seconds: u64 },
    /// Something that the operator should know.
    Note(&'a str),
}

pub trait Progress {
    fn tell(&self, event: Event<'_>);

    /// Asks before something that cannot be taken back; `None` when there is nobody to ask.
    fn confirm(&self, question: &str) -> impl Future<Output = Option<bool>>;
}
