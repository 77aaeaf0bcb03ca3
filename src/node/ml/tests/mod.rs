//! The ML APIs on a node in process, through their handlers.

mod calendars;
mod continuation;
mod counts;
mod features;
mod filters;
mod forecasts;
mod harness;
mod job_updates;
mod life_cycle;
mod operations;
mod orderly_close;
mod refusals;
mod results;
mod snapshots;
mod strangers;
mod tasks;
mod upgrade_mode;
