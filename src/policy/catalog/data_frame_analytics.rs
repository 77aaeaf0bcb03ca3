//! Data frame analytics.

use super::op;
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::{Passes, Refused};

#[rustfmt::skip] // a table: one operation a line
pub(super) static DATA_FRAME_ANALYTICS: &[Operation] = &[
    op("ml.evaluate_data_frame",            "POST",   "/_ml/data_frame/_evaluate",                        Action("cluster:monitor/xpack/ml/data_frame/evaluate"),                      Passes),
    op("ml.get_data_frame_analytics",       "GET",    "/_ml/data_frame/analytics",                        Action("cluster:monitor/xpack/ml/data_frame/analytics/get"),                 Passes),
    op("ml.estimate_memory_usage",          "POST",   "/_ml/data_frame/analytics/_estimate_memory_usage", Action("cluster:admin/xpack/ml/data_frame/analytics/estimate_memory_usage"), Passes),
    op("ml.explain_data_frame_analytics",   "GET",    "/_ml/data_frame/analytics/_explain",               Action("cluster:admin/xpack/ml/data_frame/analytics/explain"),               Refused),
    op("ml.explain_data_frame_analytics",   "POST",   "/_ml/data_frame/analytics/_explain",               Action("cluster:admin/xpack/ml/data_frame/analytics/explain"),               Refused),
    op("ml.preview_data_frame_analytics",   "GET",    "/_ml/data_frame/analytics/_preview",               Action("cluster:admin/xpack/ml/data_frame/analytics/preview"),               Passes),
    op("ml.preview_data_frame_analytics",   "POST",   "/_ml/data_frame/analytics/_preview",               Action("cluster:admin/xpack/ml/data_frame/analytics/preview"),               Passes),
    op("ml.get_data_frame_analytics_stats", "GET",    "/_ml/data_frame/analytics/_stats",                 Action("cluster:monitor/xpack/ml/data_frame/analytics/stats/get"),           Passes),
    op("ml.delete_data_frame_analytics",    "DELETE", "/_ml/data_frame/analytics/{id}",                   Action("cluster:admin/xpack/ml/data_frame/analytics/delete"),                Refused),
    op("ml.get_data_frame_analytics",       "GET",    "/_ml/data_frame/analytics/{id}",                   Action("cluster:monitor/xpack/ml/data_frame/analytics/get"),                 Passes),
    op("ml.put_data_frame_analytics",       "PUT",    "/_ml/data_frame/analytics/{id}",                   Action("cluster:admin/xpack/ml/data_frame/analytics/put"),                   Refused),
    op("ml.explain_data_frame_analytics",   "GET",    "/_ml/data_frame/analytics/{id}/_explain",          Action("cluster:admin/xpack/ml/data_frame/analytics/explain"),               Refused),
    op("ml.explain_data_frame_analytics",   "POST",   "/_ml/data_frame/analytics/{id}/_explain",          Action("cluster:admin/xpack/ml/data_frame/analytics/explain"),               Refused),
    op("ml.preview_data_frame_analytics",   "GET",    "/_ml/data_frame/analytics/{id}/_preview",          Action("cluster:admin/xpack/ml/data_frame/analytics/preview"),               Passes),
    op("ml.preview_data_frame_analytics",   "POST",   "/_ml/data_frame/analytics/{id}/_preview",          Action("cluster:admin/xpack/ml/data_frame/analytics/preview"),               Passes),
    op("ml.start_data_frame_analytics",     "POST",   "/_ml/data_frame/analytics/{id}/_start",            Action("cluster:admin/xpack/ml/data_frame/analytics/start"),                 Refused),
    op("ml.get_data_frame_analytics_stats", "GET",    "/_ml/data_frame/analytics/{id}/_stats",            Action("cluster:monitor/xpack/ml/data_frame/analytics/stats/get"),           Passes),
    op("ml.stop_data_frame_analytics",      "POST",   "/_ml/data_frame/analytics/{id}/_stop",             Action("cluster:admin/xpack/ml/data_frame/analytics/stop"),                  Refused),
    op("ml.update_data_frame_analytics",    "POST",   "/_ml/data_frame/analytics/{id}/_update",           Action("cluster:admin/xpack/ml/data_frame/analytics/update"),                Passes),
];
