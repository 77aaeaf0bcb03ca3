//! The command line, one command a file: what was typed, what it means, and running it.

pub mod check;
pub mod completions;
pub mod connection;
pub mod exit;
pub mod explain;
pub mod hash_password;
mod interrupt;
pub mod ml;
pub mod node;
pub mod output;
pub mod progress;
pub mod schema;
pub mod serve;
mod status_table;
pub mod upgrade_mode;
mod watch;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use exit::Exit;

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "mlgate", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway; without nodes in the config, on its embedded node
    Serve(serve::ServeArguments),
    /// Read and validate everything that the config names, and say what is wrong and where
    Check(check::CheckArguments),
    /// Say what a request reaches, what it needs, and whether a user or a role may make it
    Explain(explain::ExplainArguments),
    /// Switch upgrade mode, prove that it is so, or show it
    UpgradeMode(upgrade_mode::UpgradeModeArguments),
    /// Stop ML work in order, and resume what ran
    Ml(ml::MlArguments),
    /// Run the embedded node alone, for several gateways or for CI
    Node(node::NodeArguments),
    /// Make a line for the `users` file from a password
    HashPassword(hash_password::HashPasswordArguments),
    /// Print the JSON Schema of the config file, for editors
    Schema,
    /// Print a completion script for a shell
    Completions(completions::CompletionsArguments),
}

/// Runs the command that `arguments` (the program's name first) ask for, and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    dispatch(parsed.command).unwrap_or_else(|error| {
        output::failure(&error);
        Exit::Failed
    })
}

/// Each command says itself when the config is to blame ([`Exit::InvalidConfig`]); an error here is any other failure.
fn dispatch(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::HashPassword(arguments) => hash_password::run(&arguments),
        Command::Schema => schema::run(),
        Command::Serve(arguments) => Ok(serve::run(&arguments)),
        Command::UpgradeMode(arguments) => upgrade_mode::run(&arguments),
        Command::Ml(arguments) => ml::run(&arguments),
        Command::Node(arguments) => node::run(arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// `--help` and `--version` come by here too; clap says where to print and what counts as wrong use.
fn usage(error: &clap::Error) -> Exit {
    // A closed standard output or error is nothing that could still be told to anybody.
    drop(error.print());
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}
