//! What concerns ML as a whole: its state, its memory, its upgrade mode.

use super::{MANAGE_ML, op};
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::{Passes, Switches};

#[rustfmt::skip] // a table: one operation a line
pub(super) static WHOLE: &[Operation] = &[
    op("ml.upgrade_internal_indices", "POST",   "/_ml/_upgrade",                MANAGE_ML,                                              Passes),
    op("ml.find_file_structure",      "POST",   "/_ml/find_file_structure",     Action("cluster:monitor/text_structure/findstructure"), Passes),
    op("ml.info",                     "GET",    "/_ml/info",                    Action("cluster:monitor/xpack/ml/info/get"),            Passes),
    op("ml.get_memory_stats",         "GET",    "/_ml/memory/_stats",           Action("cluster:monitor/xpack/ml/memory/stats/get"),    Passes),
    op("ml.get_memory_stats",         "GET",    "/_ml/memory/{node_id}/_stats", Action("cluster:monitor/xpack/ml/memory/stats/get"),    Passes),
    op("ml.set_upgrade_mode",         "POST",   "/_ml/set_upgrade_mode",        Action("cluster:admin/xpack/ml/upgrade_mode"),          Switches),
];
