//! `mlgate upgrade-mode status | enable | disable`

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connection::{ConnectionArguments, ConnectionProblem, duration, interval};
use super::exit::Exit;
use super::interrupt::unless_interrupted;
use super::progress::Drawn;
use super::status_table::Lag;
use super::{output, status_table};
use crate::elasticsearch::client::Client;
use crate::maintenance::upgrade_mode::{self, SwitchProblem, Switched, on_off};
use crate::maintenance::{Pace, Status};

#[derive(Debug, Args)]
pub struct UpgradeModeArguments {
    #[command(subcommand)]
    pub command: UpgradeModeCommand,
}

#[derive(Debug, Subcommand)]
pub enum UpgradeModeCommand {
    /// Show the mode, what waits for its end, and which tasks run
    Status(SwitchArguments),
    /// Switch it on, and wait until nothing writes any more
    Enable(SwitchArguments),
    /// Switch it off, and wait until everything is back
    Disable(SwitchArguments),
}

#[derive(Debug, Args)]
pub struct SwitchArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// How long it may take
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Why; a gateway keeps it and tells those who may know
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Between two looks at what still runs
    #[arg(long, default_value = "1s", value_parser = interval)]
    pub poll_interval: Duration,
}

/// It goes in a header.
fn reason(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("expected one line without control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// # Errors
/// The cluster does not answer or refuses; the switch could not be done or proved.
pub fn run(arguments: &UpgradeModeArguments) -> anyhow::Result<Exit> {
    let (enabled, typed) = match &arguments.command {
        UpgradeModeCommand::Status(typed) => (None, typed),
        UpgradeModeCommand::Enable(typed) => (Some(true), typed),
        UpgradeModeCommand::Disable(typed) => (Some(false), typed),
    };
    let client = match typed.connection.client() {
        Ok(client) => client,
        Err(ConnectionProblem::Usage(problem)) => {
            output::failure(&problem);
            return Ok(Exit::Usage);
        }
        Err(ConnectionProblem::Unusable(problem)) => return Err(problem),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match enabled {
            None => show(&client, typed.json).await,
            Some(enabled) => switch(&client, enabled, typed).await,
        }
    })
}

async fn show(client: &Client, json: bool) -> anyhow::Result<Exit> {
    let status = Status::read(client).await?;
    output::result(&if json { format!("{:#}\n", status.json()) } else { status_table::text(&status, Lag::Shown) })?;
    Ok(Exit::Done)
}

async fn switch(client: &Client, enabled: bool, typed: &SwitchArguments) -> anyhow::Result<Exit> {
    let pace = Pace { timeout: typed.timeout, poll_interval: typed.poll_interval, at_once: 1 };
    let progress = Drawn::new(false, false);
    let switching = upgrade_mode::switch(client, enabled, typed.reason.as_deref(), &pace, &progress);
    let Some(switched) = unless_interrupted(switching).await else {
        output::message(
            "mlgate: interrupted; a switch that was asked for goes on without us. Run the same again to see it done",
        );
        return Ok(Exit::Failed);
    };
    match switched {
        Ok(switched) => {
            output::result(&if typed.json { format!("{:#}\n", json!(switched)) } else { told(&switched) })?;
            Ok(Exit::Done)
        }
        Err(problem) => {
            if typed.json {
                output::result(&format!("{:#}\n", refusal(&problem)))?;
            }
            Err(problem.into())
        }
    }
}

fn refusal(problem: &SwitchProblem) -> Value {
    let mut told = json!({"acknowledged": false, "error": problem.to_string()});
    if let SwitchProblem::NotBack(left) = problem {
        // The mode itself is off.
        told = json!({"acknowledged": true, "upgrade_mode": false, "error": problem.to_string(), "not_back": left});
    }
    told
}

fn told(switched: &Switched) -> String {
    let mode = on_off(switched.upgrade_mode);
    let proof = if switched.upgrade_mode { "no ML task runs" } else { "everything is back" };
    let mut text = format!("upgrade mode is {mode}: acknowledged after {}s and proved, {proof}\n", switched.seconds);
    if !switched.upgrade_mode && !switched.failed_jobs.is_empty() {
        text += &format!("failed before already: {}\n", switched.failed_jobs.join(", "));
    }
    text
}
