//! Inference endpoints, which can start and stop model deployments.

use super::op;
use crate::policy::operation::Demand::Action;
use crate::policy::operation::Operation;
use crate::policy::operation::UpgradeRule::Passes;

#[rustfmt::skip] // a table: one operation a line
pub(super) static INFERENCE: &[Operation] = &[
    op("inference.get",                     "GET",    "/_inference",                                           Action("cluster:monitor/xpack/inference/get"),                Passes),
    op("inference.get_diagnostics",         "GET",    "/_inference/.diagnostics",                              Action("cluster:monitor/xpack/inference/diagnostics/get"),    Passes),
    op("inference.get",                     "GET",    "/_inference/_all",                                      Action("cluster:monitor/xpack/inference/get"),                Passes),
    op("inference.ccm_configuration",       "DELETE", "/_inference/_ccm",                                      Action("cluster:admin/xpack/inference/ccm/delete"),           Passes),
    op("inference.ccm_configuration",       "GET",    "/_inference/_ccm",                                      Action("cluster:admin/xpack/inference/ccm/get"),              Passes),
    op("inference.ccm_configuration",       "PUT",    "/_inference/_ccm",                                      Action("cluster:admin/xpack/inference/ccm/put"),              Passes),
    op("inference.delete_region_policy",    "DELETE", "/_inference/_region_policy",                            Action("cluster:admin/xpack/inference/region_policy/delete"), Passes),
    op("inference.get_region_policy",       "GET",    "/_inference/_region_policy",                            Action("cluster:monitor/xpack/inference/region_policy/get"),  Passes),
    op("inference.put_region_policy",       "PUT",    "/_inference/_region_policy",                            Action("cluster:admin/xpack/inference/region_policy/put"),    Passes),
    op("inference.get_services",            "GET",    "/_inference/_services",                                 Action("cluster:monitor/xpack/inference/services/get"),       Passes),
    op("inference.get_services",            "GET",    "/_inference/_services/{task_type}",                     Action("cluster:monitor/xpack/inference/services/get"),       Passes),
    op("inference.get_stats",               "GET",    "/_inference/_stats",                                    Action("cluster:monitor/xpack/inference/stats/get"),          Passes),
    op("inference.delete",                  "DELETE", "/_inference/{task_type_or_id}",                         Action("cluster:admin/xpack/inference/delete"),               Passes),
    op("inference.get",                     "GET",    "/_inference/{task_type_or_id}",                         Action("cluster:monitor/xpack/inference/get"),                Passes),
    op("inference.inference",               "POST",   "/_inference/{task_type_or_id}",                         Action("cluster:monitor/xpack/inference/post"),               Passes),
    op("inference.put",                     "PUT",    "/_inference/{task_type_or_id}",                         Action("cluster:admin/xpack/inference/put"),                  Passes),
    op("inference.stream_completion",       "POST",   "/_inference/{task_type_or_id}/_stream",                 Action("cluster:monitor/xpack/inference/post"),               Passes),
    op("inference.chat_completion_unified", "POST",   "/_inference/{task_type_or_id}/_unified",                Action("cluster:monitor/xpack/inference/unified"),            Passes),
    op("inference.update",                  "PUT",    "/_inference/{task_type_or_id}/_update",                 Action("cluster:admin/xpack/inference/update"),               Passes),
    op("inference.delete",                  "DELETE", "/_inference/{task_type_or_id}/{inference_id}",          Action("cluster:admin/xpack/inference/delete"),               Passes),
    op("inference.get",                     "GET",    "/_inference/{task_type_or_id}/{inference_id}",          Action("cluster:monitor/xpack/inference/get"),                Passes),
    op("inference.inference",               "POST",   "/_inference/{task_type_or_id}/{inference_id}",          Action("cluster:monitor/xpack/inference/post"),               Passes),
    op("inference.put",                     "PUT",    "/_inference/{task_type_or_id}/{inference_id}",          Action("cluster:admin/xpack/inference/put"),                  Passes),
    op("inference.stream_completion",       "POST",   "/_inference/{task_type_or_id}/{inference_id}/_stream",  Action("cluster:monitor/xpack/inference/post"),               Passes),
    op("inference.chat_completion_unified", "POST",   "/_inference/{task_type_or_id}/{inference_id}/_unified", Action("cluster:monitor/xpack/inference/unified"),            Passes),
    op("inference.update",                  "PUT",    "/_inference/{task_type_or_id}/{inference_id}/_update",  Action("cluster:admin/xpack/inference/update"),               Passes),
];
