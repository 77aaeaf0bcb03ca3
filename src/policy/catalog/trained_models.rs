//! Trained models and their deployments; `/_ml/inference` is their old name.

use super::{MANAGE_ML, op};
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::{Passes, Refused};

#[rustfmt::skip] // a table: one operation a line
pub(super) static TRAINED_MODELS: &[Operation] = &[
    op("ml.get_trained_models",                   "GET",    "/_ml/inference",                                             Action("cluster:monitor/xpack/ml/inference/get"),                       Passes),
    op("ml.get_trained_models_metadata",          "GET",    "/_ml/inference/_metadata",                                   MANAGE_ML,                                                              Passes),
    op("ml.get_trained_models_stats",             "GET",    "/_ml/inference/_stats",                                      Action("cluster:monitor/xpack/ml/inference/stats/get"),                 Passes),
    op("ml.delete_trained_model",                 "DELETE", "/_ml/inference/{model_id}",                                  Action("cluster:admin/xpack/ml/inference/delete"),                      Refused),
    op("ml.get_trained_models",                   "GET",    "/_ml/inference/{model_id}",                                  Action("cluster:monitor/xpack/ml/inference/get"),                       Passes),
    op("ml.put_trained_model",                    "PUT",    "/_ml/inference/{model_id}",                                  Action("cluster:admin/xpack/ml/inference/put"),                         Refused),
    op("ml.get_trained_models_metadata",          "GET",    "/_ml/inference/{model_id}/_metadata",                        MANAGE_ML,                                                              Passes),
    op("ml.get_trained_models_stats",             "GET",    "/_ml/inference/{model_id}/_stats",                           Action("cluster:monitor/xpack/ml/inference/stats/get"),                 Passes),
    op("ml.get_trained_models",                   "GET",    "/_ml/trained_models",                                        Action("cluster:monitor/xpack/ml/inference/get"),                       Passes),
    op("ml.get_trained_models_stats",             "GET",    "/_ml/trained_models/_stats",                                 Action("cluster:monitor/xpack/ml/inference/stats/get"),                 Passes),
    op("ml.delete_trained_model",                 "DELETE", "/_ml/trained_models/{model_id}",                             Action("cluster:admin/xpack/ml/inference/delete"),                      Refused),
    op("ml.get_trained_models",                   "GET",    "/_ml/trained_models/{model_id}",                             Action("cluster:monitor/xpack/ml/inference/get"),                       Passes),
    op("ml.put_trained_model",                    "PUT",    "/_ml/trained_models/{model_id}",                             Action("cluster:admin/xpack/ml/inference/put"),                         Refused),
    op("ml.infer_trained_model",                  "POST",   "/_ml/trained_models/{model_id}/_infer",                      Action("cluster:monitor/xpack/ml/inference/infer"),                     Passes),
    op("ml.get_trained_models_stats",             "GET",    "/_ml/trained_models/{model_id}/_stats",                      Action("cluster:monitor/xpack/ml/inference/stats/get"),                 Passes),
    op("ml.put_trained_model_definition_part",    "PUT",    "/_ml/trained_models/{model_id}/definition/{part}",           Action("cluster:admin/xpack/ml/trained_models/part/put"),               Refused),
    op("ml.infer_trained_model_deployment",       "POST",   "/_ml/trained_models/{model_id}/deployment/_infer",           Action("cluster:monitor/xpack/ml/inference/infer"),                     Passes),
    op("ml.start_trained_model_deployment",       "POST",   "/_ml/trained_models/{model_id}/deployment/_start",           Action("cluster:admin/xpack/ml/trained_models/deployment/start"),       Refused),
    op("ml.get_trained_model_deployment_stats",   "GET",    "/_ml/trained_models/{model_id}/deployment/_stats",           MANAGE_ML,                                                              Passes),
    op("ml.stop_trained_model_deployment",        "POST",   "/_ml/trained_models/{model_id}/deployment/_stop",            Action("cluster:admin/xpack/ml/trained_models/deployment/stop"),        Passes),
    op("ml.update_trained_model_deployment",      "POST",   "/_ml/trained_models/{model_id}/deployment/_update",          Action("cluster:admin/xpack/ml/trained_models/deployment/update"),      Passes),
    op("ml.clear_trained_model_deployment_cache", "POST",   "/_ml/trained_models/{model_id}/deployment/cache/_clear",     Action("cluster:admin/xpack/ml/trained_models/deployment/clear_cache"), Passes),
    op("ml.delete_trained_model_alias",           "DELETE", "/_ml/trained_models/{model_id}/model_aliases/{model_alias}", Action("cluster:admin/xpack/ml/inference/model_aliases/delete"),        Refused),
    op("ml.put_trained_model_alias",              "PUT",    "/_ml/trained_models/{model_id}/model_aliases/{model_alias}", Action("cluster:admin/xpack/ml/inference/model_aliases/put"),           Refused),
    op("ml.put_trained_model_vocabulary",         "PUT",    "/_ml/trained_models/{model_id}/vocabulary",                  Action("cluster:admin/xpack/ml/trained_models/vocabulary/put"),         Refused),
];
