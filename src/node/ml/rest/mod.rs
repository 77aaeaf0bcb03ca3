//! The ML APIs: from a request to a change or a question, and back to JSON.

mod calendar_events;
mod calendars;
mod call;
mod cat;
mod categories;
mod data;
mod datafeeds;
mod estimate;
mod expired;
mod features;
mod feeding;
mod filters;
mod forecasts;
mod human;
mod info;
mod jobs;
mod lifecycle;
mod operations;
mod overall_buckets;
mod paging;
mod preview;
mod results;
mod revert;
mod snapshots;
mod sources;
mod state;
mod stats;
mod tasks;

use http::Method;

use crate::node::router::Route;
use call::{Call, answer};

/// A route whose handler is an `async fn(Call) -> Result<Reply, ApiError>`.
macro_rules! route {
    ($method:ident $template:literal, $action:literal, [$($parameter:literal),*], $handler:path) => {
        Route::new(Method::$method, $template, $action, &[$($parameter),*], |node, request| {
            let human = human::wanted(&request, $action);
            answer(human, $handler(Call { node, request, action: $action }))
        })
    };
}

#[rustfmt::skip] // a table: one route a line
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        route!(GET "/_ml/info", "cluster:monitor/xpack/ml/info/get", [], info::info),
        route!(POST "/_ml/set_upgrade_mode", "cluster:admin/xpack/ml/upgrade_mode", ["enabled", "timeout", "master_timeout"], info::set_upgrade_mode),

        route!(PUT "/_ml/anomaly_detectors/{job_id}", "cluster:admin/xpack/ml/job/put", ["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled", "timeout", "master_timeout"], jobs::put),
        route!(GET "/_ml/anomaly_detectors", "cluster:monitor/xpack/ml/job/get", ["allow_no_match", "allow_no_jobs", "exclude_generated"], jobs::list),
        route!(GET "/_ml/anomaly_detectors/{job_id}", "cluster:monitor/xpack/ml/job/get", ["allow_no_match", "allow_no_jobs", "exclude_generated"], jobs::list),
        route!(GET "/_ml/anomaly_detectors/_stats", "cluster:monitor/xpack/ml/job/stats/get", ["allow_no_match", "allow_no_jobs", "job_id"], stats::jobs),
        route!(GET "/_ml/anomaly_detectors/{job_id}/_stats", "cluster:monitor/xpack/ml/job/stats/get", ["allow_no_match", "allow_no_jobs"], stats::jobs),
        route!(POST "/_ml/anomaly_detectors/{job_id}/_update", "cluster:admin/xpack/ml/job/update", [], jobs::update),
        route!(DELETE "/_ml/anomaly_detectors/{job_id}", "cluster:admin/xpack/ml/job/delete", ["force", "delete_user_annotations", "wait_for_completion", "timeout", "master_timeout"], jobs::delete),
        route!(POST "/_ml/anomaly_detectors/{job_id}/_reset", "cluster:admin/xpack/ml/job/reset", ["delete_user_annotations", "wait_for_completion", "timeout", "master_timeout"], jobs::reset).without_legacy(),
        route!(POST "/_ml/anomaly_detectors/_estimate_model_memory", "cluster:admin/xpack/ml/job/estimate_model_memory", [], estimate::estimate).without_legacy(),
        route!(POST "/_ml/anomaly_detectors/_validate", "cluster:admin/xpack/ml/job/validate", [], jobs::validate),
        route!(POST "/_ml/anomaly_detectors/_validate/detector", "cluster:admin/xpack/ml/job/validate/detector", [], jobs::validate_detector),

        route!(POST "/_ml/anomaly_detectors/{job_id}/_open", "cluster:admin/xpack/ml/job/open", ["timeout"], lifecycle::open),
        route!(POST "/_ml/anomaly_detectors/{job_id}/_close", "cluster:admin/xpack/ml/job/close", ["force", "timeout", "allow_no_match", "allow_no_jobs"], lifecycle::close),
        route!(POST "/_ml/anomaly_detectors/{job_id}/_flush", "cluster:admin/xpack/ml/job/flush", ["advance_time", "calc_interim", "end", "skip_time", "start"], data::flush).deprecated("Forcing any buffered data to be processed is deprecated, in a future major version it will be compulsory to use a datafeed"),
        route!(POST "/_ml/anomaly_detectors/{job_id}/_data", "cluster:admin/xpack/ml/job/data/post", [], data::post).deprecated("Posting data directly to anomaly detection jobs is deprecated, in a future major version it will be compulsory to use a datafeed"),

        route!(POST "/_ml/anomaly_detectors/{job_id}/_forecast", "cluster:admin/xpack/ml/job/forecast", ["duration", "expires_in", "max_model_memory"], forecasts::forecast),
        route!(DELETE "/_ml/anomaly_detectors/{job_id}/_forecast", "cluster:admin/xpack/ml/job/forecast/delete", ["allow_no_forecasts", "timeout"], forecasts::delete),
        route!(DELETE "/_ml/anomaly_detectors/{job_id}/_forecast/{forecast_id}", "cluster:admin/xpack/ml/job/forecast/delete", ["allow_no_forecasts", "timeout"], forecasts::delete),

        route!(DELETE "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}", "cluster:admin/xpack/ml/job/model_snapshots/delete", [], snapshots::delete),
        route!(POST "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}/_update", "cluster:admin/xpack/ml/job/model_snapshots/update", [], snapshots::update),
        route!(POST "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}/_revert", "cluster:admin/xpack/ml/job/model_snapshots/revert", ["delete_intervening_results", "timeout", "master_timeout"], revert::revert),
        route!(POST "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}/_upgrade", "cluster:admin/xpack/ml/job/model_snapshots/upgrade", ["wait_for_completion", "timeout"], snapshots::upgrade).without_legacy(),
        route!(GET "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}/_upgrade/_stats", "cluster:monitor/xpack/ml/job/model_snapshots/upgrade/stats/get", ["allow_no_match"], snapshots::upgrade_stats).without_legacy(),
        route!(DELETE "/_ml/_delete_expired_data", "cluster:admin/xpack/ml/delete_expired_data", ["requests_per_second", "timeout"], expired::delete),
        route!(DELETE "/_ml/_delete_expired_data/{job_id}", "cluster:admin/xpack/ml/delete_expired_data", ["requests_per_second", "timeout"], expired::delete).without_legacy(),

        route!(PUT "/_ml/datafeeds/{datafeed_id}", "cluster:admin/xpack/ml/datafeeds/put", ["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled", "timeout", "master_timeout"], datafeeds::put),
        route!(GET "/_ml/datafeeds", "cluster:monitor/xpack/ml/datafeeds/get", ["allow_no_match", "allow_no_datafeeds", "exclude_generated"], datafeeds::list),
        route!(GET "/_ml/datafeeds/{datafeed_id}", "cluster:monitor/xpack/ml/datafeeds/get", ["allow_no_match", "allow_no_datafeeds", "exclude_generated"], datafeeds::list),
        route!(GET "/_ml/datafeeds/_stats", "cluster:monitor/xpack/ml/datafeeds/stats/get", ["allow_no_match", "allow_no_datafeeds", "datafeed_id"], stats::datafeeds),
        route!(GET "/_ml/datafeeds/{datafeed_id}/_stats", "cluster:monitor/xpack/ml/datafeeds/stats/get", ["allow_no_match", "allow_no_datafeeds"], stats::datafeeds),
        route!(POST "/_ml/datafeeds/{datafeed_id}/_update", "cluster:admin/xpack/ml/datafeeds/update", ["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"], datafeeds::update),
        route!(DELETE "/_ml/datafeeds/{datafeed_id}", "cluster:admin/xpack/ml/datafeeds/delete", ["force", "timeout", "master_timeout"], datafeeds::delete),
        route!(POST "/_ml/datafeeds/{datafeed_id}/_start", "cluster:admin/xpack/ml/datafeed/start", ["start", "end", "timeout"], feeding::start),
        route!(POST "/_ml/datafeeds/{datafeed_id}/_stop", "cluster:admin/xpack/ml/datafeed/stop", ["force", "timeout", "allow_no_match", "allow_no_datafeeds", "close_job"], feeding::stop),
        route!(GET "/_ml/datafeeds/{datafeed_id}/_preview", "cluster:admin/xpack/ml/datafeeds/preview", ["start", "end"], preview::preview),
        route!(POST "/_ml/datafeeds/{datafeed_id}/_preview", "cluster:admin/xpack/ml/datafeeds/preview", ["start", "end"], preview::preview).without_legacy(),
        route!(GET "/_ml/datafeeds/_preview", "cluster:admin/xpack/ml/datafeeds/preview", ["start", "end"], preview::preview).without_legacy(),
        route!(POST "/_ml/datafeeds/_preview", "cluster:admin/xpack/ml/datafeeds/preview", ["start", "end"], preview::preview).without_legacy(),

        route!(GET "/_features", "cluster:admin/features/get", ["master_timeout"], features::list),
        route!(POST "/_features/_reset", "cluster:admin/features/reset", ["master_timeout"], features::reset),
        route!(GET "/_cluster/state/{metric}", "cluster:monitor/state", ["allow_no_indices", "expand_wildcards", "flat_settings", "ignore_unavailable", "local", "master_timeout"], state::metadata),
        route!(GET "/_tasks", "cluster:monitor/tasks/lists", ["actions", "detailed", "group_by", "nodes", "parent_task_id", "timeout", "wait_for_completion"], tasks::list),
        route!(GET "/_tasks/{task_id}", "cluster:monitor/task/get", ["wait_for_completion", "timeout"], tasks::get),
        route!(POST "/_tasks/_cancel", "cluster:admin/tasks/cancel", ["actions", "group_by", "nodes", "parent_task_id", "task_id", "wait_for_completion"], tasks::cancel),
        route!(POST "/_tasks/{task_id}/_cancel", "cluster:admin/tasks/cancel", ["actions", "group_by", "nodes", "parent_task_id", "wait_for_completion"], tasks::cancel),
        route!(GET "/_cat/tasks", "cluster:monitor/tasks/lists", ["actions", "bytes", "detailed", "h", "v", "s", "help", "time", "nodes", "node_id", "parent_task_id"], tasks::cat),
        route!(GET "/_cat/ml/anomaly_detectors", "cluster:monitor/xpack/ml/job/stats/get", ["allow_no_match", "allow_no_jobs", "h", "v", "s", "help", "bytes", "time"], cat::jobs),
        route!(GET "/_cat/ml/anomaly_detectors/{job_id}", "cluster:monitor/xpack/ml/job/stats/get", ["allow_no_match", "allow_no_jobs", "h", "v", "s", "help", "bytes", "time"], cat::jobs),
        route!(GET "/_cat/ml/datafeeds", "cluster:monitor/xpack/ml/datafeeds/stats/get", ["allow_no_match", "allow_no_datafeeds", "h", "v", "s", "help", "bytes", "time"], cat::datafeeds),
        route!(GET "/_cat/ml/datafeeds/{datafeed_id}", "cluster:monitor/xpack/ml/datafeeds/stats/get", ["allow_no_match", "allow_no_datafeeds", "h", "v", "s", "help", "bytes", "time"], cat::datafeeds),
    ];
    routes.extend(result_routes());
    routes.extend(filter_and_calendar_routes());
    routes
}

#[rustfmt::skip] // a table: one route a line
fn filter_and_calendar_routes() -> Vec<Route> {
    vec![
        route!(PUT "/_ml/filters/{filter_id}", "cluster:admin/xpack/ml/filters/put", [], filters::put),
        route!(GET "/_ml/filters", "cluster:admin/xpack/ml/filters/get", ["from", "size"], filters::list),
        route!(GET "/_ml/filters/{filter_id}", "cluster:admin/xpack/ml/filters/get", ["from", "size"], filters::list),
        route!(POST "/_ml/filters/{filter_id}/_update", "cluster:admin/xpack/ml/filters/update", [], filters::update),
        route!(DELETE "/_ml/filters/{filter_id}", "cluster:admin/xpack/ml/filters/delete", [], filters::delete),

        route!(PUT "/_ml/calendars/{calendar_id}", "cluster:admin/xpack/ml/calendars/put", [], calendars::put),
        route!(GET "/_ml/calendars", "cluster:monitor/xpack/ml/calendars/get", ["from", "size"], calendars::list),
        route!(POST "/_ml/calendars", "cluster:monitor/xpack/ml/calendars/get", ["from", "size"], calendars::list),
        route!(GET "/_ml/calendars/{calendar_id}", "cluster:monitor/xpack/ml/calendars/get", ["from", "size"], calendars::list),
        route!(POST "/_ml/calendars/{calendar_id}", "cluster:monitor/xpack/ml/calendars/get", ["from", "size"], calendars::list),
        route!(DELETE "/_ml/calendars/{calendar_id}", "cluster:admin/xpack/ml/calendars/delete", [], calendars::delete),
        route!(PUT "/_ml/calendars/{calendar_id}/jobs/{job_id}", "cluster:admin/xpack/ml/calendars/jobs/update", [], calendars::add_jobs),
        route!(DELETE "/_ml/calendars/{calendar_id}/jobs/{job_id}", "cluster:admin/xpack/ml/calendars/jobs/update", [], calendars::remove_jobs),
        route!(POST "/_ml/calendars/{calendar_id}/events", "cluster:admin/xpack/ml/calendars/events/post", [], calendar_events::post),
        route!(GET "/_ml/calendars/{calendar_id}/events", "cluster:monitor/xpack/ml/calendars/events/get", ["end", "from", "job_id", "size", "start"], calendar_events::list),
        route!(DELETE "/_ml/calendars/{calendar_id}/events/{event_id}", "cluster:admin/xpack/ml/calendars/events/delete", [], calendar_events::delete),
    ]
}

/// The routes that GET and POST share.
#[rustfmt::skip] // a table: one route a line
fn result_routes() -> Vec<Route> {
    vec![
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/buckets", "cluster:monitor/xpack/ml/job/results/buckets/get", ["anomaly_score", "desc", "end", "exclude_interim", "expand", "from", "size", "sort", "start"], results::buckets),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/buckets", "cluster:monitor/xpack/ml/job/results/buckets/get", ["anomaly_score", "desc", "end", "exclude_interim", "expand", "from", "size", "sort", "start"], results::buckets),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/buckets/{timestamp}", "cluster:monitor/xpack/ml/job/results/buckets/get", ["anomaly_score", "desc", "end", "exclude_interim", "expand", "from", "size", "sort", "start"], results::buckets),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/buckets/{timestamp}", "cluster:monitor/xpack/ml/job/results/buckets/get", ["anomaly_score", "desc", "end", "exclude_interim", "expand", "from", "size", "sort", "start"], results::buckets),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/records", "cluster:monitor/xpack/ml/job/results/records/get", ["desc", "end", "exclude_interim", "from", "record_score", "size", "sort", "start"], results::records),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/records", "cluster:monitor/xpack/ml/job/results/records/get", ["desc", "end", "exclude_interim", "from", "record_score", "size", "sort", "start"], results::records),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/influencers", "cluster:monitor/xpack/ml/job/results/influencers/get", ["desc", "end", "exclude_interim", "from", "influencer_score", "size", "sort", "start"], results::influencers),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/influencers", "cluster:monitor/xpack/ml/job/results/influencers/get", ["desc", "end", "exclude_interim", "from", "influencer_score", "size", "sort", "start"], results::influencers),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/overall_buckets", "cluster:monitor/xpack/ml/job/results/overall_buckets/get", ["allow_no_jobs", "allow_no_match", "bucket_span", "end", "exclude_interim", "overall_score", "start", "top_n"], overall_buckets::overall_buckets),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/overall_buckets", "cluster:monitor/xpack/ml/job/results/overall_buckets/get", ["allow_no_jobs", "allow_no_match", "bucket_span", "end", "exclude_interim", "overall_score", "start", "top_n"], overall_buckets::overall_buckets),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/categories", "cluster:monitor/xpack/ml/job/results/categories/get", ["from", "partition_field_value", "size"], categories::categories),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/categories", "cluster:monitor/xpack/ml/job/results/categories/get", ["from", "partition_field_value", "size"], categories::categories),
        route!(GET "/_ml/anomaly_detectors/{job_id}/results/categories/{category_id}", "cluster:monitor/xpack/ml/job/results/categories/get", ["from", "partition_field_value", "size"], categories::categories),
        route!(POST "/_ml/anomaly_detectors/{job_id}/results/categories/{category_id}", "cluster:monitor/xpack/ml/job/results/categories/get", ["from", "partition_field_value", "size"], categories::categories),
        route!(GET "/_ml/anomaly_detectors/{job_id}/model_snapshots", "cluster:monitor/xpack/ml/job/model_snapshots/get", ["desc", "end", "from", "size", "sort", "start"], snapshots::list),
        route!(POST "/_ml/anomaly_detectors/{job_id}/model_snapshots", "cluster:monitor/xpack/ml/job/model_snapshots/get", ["desc", "end", "from", "size", "sort", "start"], snapshots::list),
        route!(GET "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}", "cluster:monitor/xpack/ml/job/model_snapshots/get", ["desc", "end", "from", "size", "sort", "start"], snapshots::list),
        route!(POST "/_ml/anomaly_detectors/{job_id}/model_snapshots/{snapshot_id}", "cluster:monitor/xpack/ml/job/model_snapshots/get", ["desc", "end", "from", "size", "sort", "start"], snapshots::list),
    ]
}
