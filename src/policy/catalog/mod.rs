//! The ML endpoints of Elasticsearch as data.
//!
//! Privileges are looked up here, never derived from a method or a path. Where the sources name no action for a route,
//! or only an internal one that no user role grants, the caller needs `manage_ml`. Where they do not say what upgrade
//! mode does, the operation passes: Elasticsearch itself refuses the deployment that a `PUT /_inference/...` starts.
//!
//! Source: elasticsearch-specification, `specification/{ml,cat,inference}/`; `MlUpgradeModeActionFilter.java`.

mod anomaly_detection;
mod cat;
mod data_frame_analytics;
mod datafeeds;
mod inference;
mod legacy;
mod trained_models;
mod whole;

use super::operation::{Demand, Operation, UpgradeRule};

/// Every ML endpoint: one method on one path template each, no two alike.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        whole::WHOLE,
        anomaly_detection::ANOMALY_DETECTION,
        datafeeds::DATAFEEDS,
        data_frame_analytics::DATA_FRAME_ANALYTICS,
        trained_models::TRAINED_MODELS,
        inference::INFERENCE,
        cat::CAT,
        legacy::LEGACY,
    ]
    .into_iter()
    .flatten()
}

const MANAGE_ML: Demand = Demand::Privileges(&["manage_ml"]);

const fn op(
    api: &'static str,
    method: &'static str,
    template: &'static str,
    demand: Demand,
    upgrade_mode: UpgradeRule,
) -> Operation {
    Operation { api, method, template, demand, upgrade_mode }
}
