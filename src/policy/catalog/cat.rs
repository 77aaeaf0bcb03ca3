//! ML in the compact APIs; all of them read.

use super::op;
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::Passes;

#[rustfmt::skip] // a table: one operation a line
pub(super) static CAT: &[Operation] = &[
    op("cat.ml_jobs",                 "GET",    "/_cat/ml/anomaly_detectors",          Action("cluster:monitor/xpack/ml/job/stats/get"),            Passes),
    op("cat.ml_jobs",                 "GET",    "/_cat/ml/anomaly_detectors/{job_id}", Action("cluster:monitor/xpack/ml/job/stats/get"),            Passes),
    op("cat.ml_data_frame_analytics", "GET",    "/_cat/ml/data_frame/analytics",       Action("cluster:monitor/xpack/ml/data_frame/analytics/get"), Passes),
    op("cat.ml_data_frame_analytics", "GET",    "/_cat/ml/data_frame/analytics/{id}",  Action("cluster:monitor/xpack/ml/data_frame/analytics/get"), Passes),
    op("cat.ml_datafeeds",            "GET",    "/_cat/ml/datafeeds",                  Action("cluster:monitor/xpack/ml/datafeeds/stats/get"),      Passes),
    op("cat.ml_datafeeds",            "GET",    "/_cat/ml/datafeeds/{datafeed_id}",    Action("cluster:monitor/xpack/ml/datafeeds/stats/get"),      Passes),
    op("cat.ml_trained_models",       "GET",    "/_cat/ml/trained_models",             Action("cluster:monitor/xpack/ml/inference/get"),            Passes),
    op("cat.ml_trained_models",       "GET",    "/_cat/ml/trained_models/{model_id}",  Action("cluster:monitor/xpack/ml/inference/get"),            Passes),
];
