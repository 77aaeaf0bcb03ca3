//! Datafeeds.

use super::op;
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::{Passes, Refused};

#[rustfmt::skip] // a table: one operation a line
pub(super) static DATAFEEDS: &[Operation] = &[
    op("ml.get_datafeeds",      "GET",    "/_ml/datafeeds",                        Action("cluster:monitor/xpack/ml/datafeeds/get"),       Passes),
    op("ml.preview_datafeed",   "GET",    "/_ml/datafeeds/_preview",               Action("cluster:admin/xpack/ml/datafeeds/preview"),     Passes),
    op("ml.preview_datafeed",   "POST",   "/_ml/datafeeds/_preview",               Action("cluster:admin/xpack/ml/datafeeds/preview"),     Passes),
    op("ml.get_datafeed_stats", "GET",    "/_ml/datafeeds/_stats",                 Action("cluster:monitor/xpack/ml/datafeeds/stats/get"), Passes),
    op("ml.delete_datafeed",    "DELETE", "/_ml/datafeeds/{datafeed_id}",          Action("cluster:admin/xpack/ml/datafeeds/delete"),      Refused),
    op("ml.get_datafeeds",      "GET",    "/_ml/datafeeds/{datafeed_id}",          Action("cluster:monitor/xpack/ml/datafeeds/get"),       Passes),
    op("ml.put_datafeed",       "PUT",    "/_ml/datafeeds/{datafeed_id}",          Action("cluster:admin/xpack/ml/datafeeds/put"),         Refused),
    op("ml.preview_datafeed",   "GET",    "/_ml/datafeeds/{datafeed_id}/_preview", Action("cluster:admin/xpack/ml/datafeeds/preview"),     Passes),
    op("ml.preview_datafeed",   "POST",   "/_ml/datafeeds/{datafeed_id}/_preview", Action("cluster:admin/xpack/ml/datafeeds/preview"),     Passes),
    op("ml.start_datafeed",     "POST",   "/_ml/datafeeds/{datafeed_id}/_start",   Action("cluster:admin/xpack/ml/datafeed/start"),        Refused),
    op("ml.get_datafeed_stats", "GET",    "/_ml/datafeeds/{datafeed_id}/_stats",   Action("cluster:monitor/xpack/ml/datafeeds/stats/get"), Passes),
    op("ml.stop_datafeed",      "POST",   "/_ml/datafeeds/{datafeed_id}/_stop",    Action("cluster:admin/xpack/ml/datafeed/stop"),         Refused),
    op("ml.update_datafeed",    "POST",   "/_ml/datafeeds/{datafeed_id}/_update",  Action("cluster:admin/xpack/ml/datafeeds/update"),      Refused),
];
