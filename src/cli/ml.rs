//! `mlgate ml status | stop | resume`

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::json;

use super::connection::{ConnectionArguments, ConnectionProblem, duration, interval};
use super::exit::Exit;
use super::interrupt::unless_interrupted;
use super::progress::Drawn;
use super::status_table::Lag;
use super::watch::watch;
use super::{output, status_table};
use crate::elasticsearch::client::Client;
use crate::maintenance::resume::{Resumed, resume};
use crate::maintenance::stop::{JobProof, Stopped, stop};
use crate::maintenance::{Pace, PlanFile, Status};
use crate::telemetry::clock;

const PLAN: &str = "mlgate-plan.json";

#[derive(Debug, Args)]
pub struct MlArguments {
    #[command(subcommand)]
    pub command: MlCommand,
}

#[derive(Debug, Subcommand)]
pub enum MlCommand {
    /// Show jobs, datafeeds and tasks
    Status(StatusArguments),
    /// Write down what runs, stop the datafeeds, close the jobs, and prove it
    Stop(WorkArguments),
    /// Open and start what a stop has written down, and nothing else
    Resume(WorkArguments),
}

#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    pub work: WorkArguments,
    /// Show it again and again until Ctrl-C: anew on a terminal, elsewhere each time that something has changed
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct WorkArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// The plan: what ran [default: mlgate-plan.json, or the newest beside it]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// How long all of it may take
    #[arg(long, default_value = "30m", value_parser = duration)]
    pub timeout: Duration,
    /// End by force what does not end in order, after asking
    #[arg(long)]
    pub force: bool,
    /// Answer questions with yes
    #[arg(long)]
    pub yes: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Between two looks at what still runs
    #[arg(long, default_value = "1s", value_parser = interval)]
    pub poll_interval: Duration,
    /// How many are stopped, closed, opened or started at the same time
    #[arg(long, default_value = "8", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub at_once: u16,
}

/// # Errors
/// Nothing was done: the cluster does not answer or refuses, the plan is missing or not to be read, upgrade mode is on.
pub fn run(arguments: &MlArguments) -> anyhow::Result<Exit> {
    let typed = match &arguments.command {
        MlCommand::Status(typed) => &typed.work,
        MlCommand::Stop(typed) | MlCommand::Resume(typed) => typed,
    };
    if matches!(arguments.command, MlCommand::Stop(_)) && typed.force && !typed.yes && !io::stdin().is_terminal() {
        output::failure(&anyhow::anyhow!("no terminal to ask on before anything is forced; add --yes"));
        return Ok(Exit::Usage);
    }
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
        match &arguments.command {
            MlCommand::Status(StatusArguments { watch: true, .. }) => {
                watch(&client, typed.poll_interval, typed.json).await
            }
            MlCommand::Status(_) => show(&client, typed.json).await,
            MlCommand::Stop(_) => run_stop(&client, typed).await,
            MlCommand::Resume(_) => run_resume(&client, typed).await,
        }
    })
}

impl WorkArguments {
    fn pace(&self) -> Pace {
        Pace { timeout: self.timeout, poll_interval: self.poll_interval, at_once: usize::from(self.at_once) }
    }
}

async fn show(client: &Client, json: bool) -> anyhow::Result<Exit> {
    let status = Status::read(client).await?;
    output::result(&if json { format!("{:#}\n", status.json()) } else { status_table::text(&status, Lag::Shown) })?;
    Ok(Exit::Done)
}

async fn run_stop(client: &Client, typed: &WorkArguments) -> anyhow::Result<Exit> {
    let path = typed.plan.as_deref().unwrap_or(Path::new(PLAN));
    let progress = Drawn::new(false, typed.yes);
    let pace = typed.pace();
    let Some(stopped) = unless_interrupted(stop(client, path, typed.force, &pace, &progress)).await else {
        return Ok(interrupted());
    };
    let stopped = stopped?;
    output::result(&if typed.json { format!("{:#}\n", json!(stopped)) } else { stop_text(&stopped) })?;
    Ok(told_left(&stopped.left))
}

async fn run_resume(client: &Client, typed: &WorkArguments) -> anyhow::Result<Exit> {
    let file = match &typed.plan {
        Some(path) => PlanFile::read(path)?,
        None => PlanFile::newest(Path::new(PLAN))?,
    };
    let progress = Drawn::new(false, typed.yes);
    let pace = typed.pace();
    let Some(resumed) = unless_interrupted(resume(client, file, &pace, &progress)).await else {
        return Ok(interrupted());
    };
    let resumed = resumed?;
    output::result(&if typed.json { format!("{:#}\n", json!(resumed)) } else { resume_text(&resumed) })?;
    Ok(told_left(&resumed.left))
}

fn interrupted() -> Exit {
    output::message(
        "mlgate: interrupted; what the cluster was asked for goes on there. Run the same again to go on by the plan",
    );
    Exit::Failed
}

/// What is left is told beside the result, and decides the exit status.
fn told_left(left: &[String]) -> Exit {
    if left.is_empty() {
        return Exit::Done;
    }
    output::message(&format!("mlgate: [{}] are left; run the same again when their cause is gone:", left.len()));
    left.iter().for_each(|line| output::message(&format!("  {line}")));
    Exit::Failed
}

fn stop_text(stopped: &Stopped) -> String {
    let heading = ["JOB", "DATAFEED STOPPED", "FLUSHED", "FINAL BUCKET", "SNAPSHOT", "SAVED", "CLOSED"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(stopped.jobs.iter().map(proof_row));
    let mut text = if stopped.jobs.is_empty() { "nothing runs\n".to_owned() } else { status_table::table(&rows) };
    text += &format!("plan: {}\n", stopped.plan);
    text
}

fn proof_row(job: &JobProof) -> Vec<String> {
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let closed = if job.closed && job.forced { "by force".to_owned() } else { word(job.closed) };
    vec![
        job.id.clone(),
        job.datafeed_stopped.map_or_else(|| "-".to_owned(), word),
        job.flushed.map_or_else(|| "?".to_owned(), word),
        time(job.final_bucket),
        job.snapshot_id.clone().unwrap_or_else(|| "-".to_owned()),
        time(job.snapshot_at),
        closed,
    ]
}

/// Milliseconds since 1970 as a date.
fn time(milliseconds: Option<i64>) -> String {
    let since = milliseconds.and_then(|it| u64::try_from(it).ok()).map(Duration::from_millis);
    since.and_then(|since| UNIX_EPOCH.checked_add(since)).map_or_else(|| "-".to_owned(), clock::rfc3339)
}

fn resume_text(resumed: &Resumed) -> String {
    if resumed.already_done {
        return format!("plan {} is done already: nothing was changed\n", resumed.plan);
    }
    let mut text = format!("jobs open: {}\n", resumed.jobs.len());
    let mut rows = vec![["DATAFEED", "NOT SEEN LIVE FROM", "TO", "CAUGHT UP"].map(str::to_owned).to_vec()];
    for range in &resumed.datafeeds {
        let caught_up = range.caught_up.map_or("-", |yes| if yes { "yes" } else { "not yet" });
        rows.push(vec![range.id.clone(), range.from.clone(), range.to.clone(), caught_up.to_owned()]);
    }
    text += &status_table::table(&rows);
    let state = if resumed.left.is_empty() { "done" } else { "not done" };
    text += &format!("plan: {} ({state})\n", resumed.plan);
    text
}
