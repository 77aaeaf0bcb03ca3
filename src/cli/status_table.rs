//! Mode, jobs, datafeeds and tasks as a table for people.

use std::collections::BTreeMap;

use crate::maintenance::Status;
use crate::maintenance::status::Tasks;
use crate::maintenance::upgrade_mode::on_off;

/// Whether the age of the newest record is shown: it changes with every look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    Shown,
    Hidden,
}

pub(super) fn text(status: &Status, lag: Lag) -> String {
    let mut text = mode(status);
    let dash = || "-".to_owned();
    let mut rows = vec![["", "ID", "STATE", "NODE", "LAG", "EXPLANATION"].map(str::to_owned).to_vec()];
    for job in &status.jobs {
        let (node, why) = (job.node.clone(), job.assignment_explanation.clone());
        let behind = job.lag_seconds.map_or_else(dash, age);
        rows.push(vec![
            "job".to_owned(),
            job.id.clone(),
            job.state.clone(),
            node.unwrap_or_else(dash),
            behind,
            why.unwrap_or_else(dash),
        ]);
    }
    for feed in &status.datafeeds {
        let (node, why) = (feed.node.clone(), feed.assignment_explanation.clone());
        let behind = if feed.in_look_back() { "look-back".to_owned() } else { dash() };
        rows.push(vec![
            "datafeed".to_owned(),
            feed.id.clone(),
            feed.state.clone(),
            node.unwrap_or_else(dash),
            behind,
            why.unwrap_or_else(dash),
        ]);
    }
    if lag == Lag::Hidden {
        rows.iter_mut().for_each(|row| drop(row.remove(4)));
    }
    text += &if rows.len() > 1 { table(&rows) + &sums(status) } else { "no jobs and no datafeeds\n".to_owned() };
    match &status.tasks {
        Tasks::Running(tasks) => {
            text += &format!("tasks running: {}\n", tasks.len());
            tasks.iter().for_each(|task| text += &format!("  {task}\n"));
        }
        Tasks::Unknown(why) => text += &format!("tasks running: not to be seen ({why})\n"),
    }
    text
}

/// With since when, by whom and why, where a gateway tells.
fn mode(status: &Status) -> String {
    let facts = &status.switched;
    let mut text = format!("upgrade mode: {}", on_off(status.upgrade_mode));
    for (word, fact) in [("since", &facts.since), ("by", &facts.by), ("because", &facts.reason)] {
        if let Some(fact) = fact {
            text += &format!(", {word} [{}]", fact.escape_debug());
        }
    }
    text + "\n"
}

/// How many are in which state.
fn sums(status: &Status) -> String {
    let jobs = counted(status.jobs.iter().map(|job| job.state.as_str()));
    let feeds = counted(status.datafeeds.iter().map(|feed| feed.state.as_str()));
    format!("jobs: {jobs}; datafeeds: {feeds}\n")
}

fn counted<'a>(states: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    states.for_each(|state| *counts.entry(state).or_default() += 1);
    let told: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// In the largest unit that says something.
fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Columns as wide as their widest cell.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max();
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
