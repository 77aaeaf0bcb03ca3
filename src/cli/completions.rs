//! `mlgate completions SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::exit::Exit;
use super::{Arguments, output};

#[derive(Debug, clap::Args)]
pub struct CompletionsArguments {
    /// The shell to write a completion script for.
    pub shell: Shell,
}

/// Prints a completion script, to be sourced by the shell.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(arguments: &CompletionsArguments) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "mlgate", &mut script);
    output::result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
