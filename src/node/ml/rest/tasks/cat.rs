//! `_cat/tasks`.

use super::{matching, name, parent_of};
use crate::node::http::{ApiError, Cell, Column, Reply, Table};
use crate::node::ml::configuration::not_supported;
use crate::node::ml::rest::call::Call;

#[rustfmt::skip] // a table: one column a line
const COLUMNS: [Column; 10] = [
    Column { name: "id", aliases: &[], shown: false, right: false },
    Column { name: "action", aliases: &["ac"], shown: true, right: false },
    Column { name: "task_id", aliases: &["ti"], shown: true, right: false },
    Column { name: "parent_task_id", aliases: &["pti"], shown: true, right: false },
    Column { name: "type", aliases: &["ty"], shown: true, right: false },
    Column { name: "start_time", aliases: &["start"], shown: true, right: false },
    Column { name: "timestamp", aliases: &["ts", "hms", "hhmmss"], shown: true, right: false },
    Column { name: "running_time", aliases: &["time"], shown: true, right: false },
    Column { name: "ip", aliases: &["i"], shown: true, right: false },
    Column { name: "node", aliases: &["n"], shown: true, right: false },
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
