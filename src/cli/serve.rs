//! `mlgate serve`: the gateway.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output;
use crate::serve::{self, StartProblem};

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// The config file [default: config/mlgate.yml, or what is shipped if there is none]
    #[arg(long, env = "MLGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT. What keeps it from starting is told in one line each, and ends it with 78.
pub fn run(arguments: &ServeArguments) -> Exit {
    match serve::run(arguments.config.as_deref()) {
        Ok(()) => Exit::Done,
        Err(StartProblem::Config(problems)) => {
            problems.0.iter().for_each(|problem| output::message(&problem.to_string()));
            Exit::InvalidConfig
        }
        Err(problem) => {
            output::failure(&anyhow::Error::new(problem));
            Exit::InvalidConfig
        }
    }
}
