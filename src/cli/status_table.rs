//! Mode, jobs, datafeeds and tasks as a table for people.

use crate::maintenance::Status;
use crate::maintenance::status::Tasks;
use crate::maintenance::upgrade_mode::on_off;

pub(super) fn text(status: &Status) -> String {
    let mut text = format!("upgrade mode: {}\n", on_off(status.upgrade_mode));
    let dash = || "-".to_owned();
    let mut rows = vec![["", "ID", "STATE", "NODE", "EXPLANATION"].map(str::to_owned).to_vec()];
    for job in &status.jobs {
        let (node, why) = (job.node.clone(), job.assignment_explanation.clone());
        let (node, why) = (node.unwrap_or_else(dash), why.unwrap_or_else(dash));
        rows.push(vec!["job".to_owned(), job.id.clone(), job.state.clone(), node, why]);
    }
    for feed in &status.datafeeds {
        let (node, why) = (feed.node.clone(), feed.assignment_explanation.clone());
        let (node, why) = (node.unwrap_or_else(dash), why.unwrap_or_else(dash));
        rows.push(vec!["datafeed".to_owned(), feed.id.clone(), feed.state.clone(), node, why]);
    }
    text += &if rows.len() > 1 { table(&rows) } else { "no jobs and no datafeeds\n".to_owned() };
    match &status.tasks {
        Tasks::Running(tasks) => {
            text += &format!("tasks running: {}\n", tasks.len());
            tasks.iter().for_each(|task| text += &format!("  {task}\n"));
        }
        Tasks::Unknown(why) => text += &format!("tasks running: not to be seen ({why})\n"),
    }
    text
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
