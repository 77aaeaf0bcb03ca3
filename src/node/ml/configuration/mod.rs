//! What a job or a datafeed was configured to do: read strictly, kept as Elasticsearch shows it.

mod analysis;
mod analysis_limits;
mod calendar;
mod datafeed;
mod delayed_data;
mod detector_update;
mod fields;
mod filter;
mod forecast;
mod indices_options;
mod job;
mod model_plot;
mod retention;
mod rules;

pub(crate) use analysis::detector as read_detector;
pub(crate) use calendar::{Calendar, Event};
pub(crate) use datafeed::Datafeed;
pub(crate) use delayed_data::SPANNABLE_BUCKETS_MAX;
pub(crate) use fields::{Fields, not_supported};
pub(crate) use filter::Filter;
pub(crate) use forecast::Forecast;
pub(crate) use job::{EMPTY_SNAPSHOT, Job, TimeFormat};
