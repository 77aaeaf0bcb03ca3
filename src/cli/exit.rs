//! What the program's exit status says.

use std::process::ExitCode;

/// The end of a command (INTERFACE.md, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done,
    /// 1: it could not be done; what is left is printed.
    Failed,
    /// 2: the command line is wrong.
    Usage,
    /// 78 (`EX_CONFIG`): the config, or something that it names, is wrong.
    InvalidConfig,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::InvalidConfig => 78,
        })
    }
}
