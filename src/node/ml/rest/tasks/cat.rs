//! `_cat/tasks`.

use super::{matching, name, parent_of};
use crate::node::http::{ApiError, Cell, Column, Reply, Table};
use crate::node::ml::configuration::not_supported;
use crate::node::ml::rest::call::Call;

#[rustfmt::skip] // a table: one column a line
const COLUMNS: [Column; 10] = [
    Column { aliases: &[], description: "id of the task with the node", shown: false, ..Column::new("id") },
    Column { aliases: &["ac"], description: "task action", ..Column::new("action") },
    Column { aliases: &["ti"], description: "unique task id", ..Column::new("task_id") },
    Column { aliases: &["pti"], description: "parent task id", ..Column::new("parent_task_id") },
    Column { aliases: &["ty"], description: "task type", ..Column::new("type") },
    Column { aliases: &["start"], description: "start time in ms", ..Column::new("start_time") },
    Column { aliases: &["ts", "hms", "hhmmss"], description: "start time in HH:MM:SS", ..Column::new("timestamp") },
    Column { aliases: &["time"], description: "running time", ..Column::new("running_time") },
    Column { aliases: &["i"], description: "ip address", ..Column::new("ip") },
    Column { aliases: &["n"], description: "node name", ..Column::new("node") },
];

pub(in crate::node::ml::rest) async fn cat(call: Call) -> Result<Reply, ApiError> {
    call.request.without_body()?;
    if call.request.query.flag("detailed")? == Some(true) {
        return Err(not_supported("_cat/tasks", "detailed"));
    }
    let identity = &call.node.core.identity;
    let now_ms = call.node.core.clock.now_ms();
    let mut table = Table::new(COLUMNS.to_vec());
    for (key, task) in matching(&call, &call.parts().local.now()) {
        let clock = crate::node::indices::dates::format(task.started_ms);
        let time_of_day = clock.split_once('T').and_then(|(_, time)| time.get(..8)).unwrap_or_default().to_owned();
        table.row(vec![
            name(&call, &task).into(),
            key.action().into(),
            name(&call, &task).into(),
            parent_of(&key, &task).unwrap_or_else(|| "-".to_owned()).into(),
            key.kind().into(),
            task.started_ms.into(),
            time_of_day.into(),
            Cell::Milliseconds(now_ms.saturating_sub(task.started_ms).max(1)),
            identity.address.ip().to_string().into(),
            identity.node_name.clone().into(),
        ]);
    }
    table.reply(&call.request)
}
