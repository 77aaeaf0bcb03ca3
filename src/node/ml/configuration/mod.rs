//! What a job or a datafeed was configured to do: read strictly, kept as Elasticsearch shows it.

mod analysis;
mod datafeed;
mod fields;
mod job;
mod retention;
mod rules;

pub(crate) use analysis::detector as read_detector;
pub(crate) use datafeed::Datafeed;
pub(crate) use fields::{Fields, not_supported};
pub(crate) use job::{EMPTY_SNAPSHOT, Job, TimeFormat};
