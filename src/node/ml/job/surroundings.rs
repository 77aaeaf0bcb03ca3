//! What an open job takes from outside its own configuration: filters, and the events of its calendars.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::node::ml::configuration::{Calendar, Event, Filter, Job};
use crate::node::ml::detector::Engine;
use crate::node::ml::metadata::Metadata;

/// What the job's engine knows of the metadata.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    version: u64,
    filters: Vec<Arc<Filter>>,
    calendars: Vec<Arc<Calendar>>,
    events: Arc<BTreeMap<String, Arc<Event>>>,
}

impl Surroundings {
    /// Tells the engine what has changed since it was told last.
    pub(super) fn update(&mut self, engine: &mut Engine, job: &Job, metadata: &Metadata) {
        if self.version == metadata.version {
            return;
        }
        self.version = metadata.version;
        let filters: Vec<Arc<Filter>> =
            job.filters().into_iter().filter_map(|id| metadata.filters.get(id)).map(Arc::clone).collect();
        if !same(&filters, &self.filters) {
            engine.set_filters(filters.iter().map(|filter| (filter.id.clone(), filter.lookup())).collect());
            self.filters = filters;
        }
        let calendars: Vec<Arc<Calendar>> = metadata.calendars_of(job).map(Arc::clone).collect();
        if !same(&calendars, &self.calendars) || !Arc::ptr_eq(&metadata.events, &self.events) {
            self.events = Arc::clone(&metadata.events);
            self.calendars = calendars;
            let own = |event: &&Arc<Event>| self.calendars.iter().any(|calendar| calendar.id == event.calendar_id);
            engine.set_events(self.events.values().filter(own).map(|event| event.scheduled.clone()).collect());
        }
    }
}

fn same<T>(left: &[Arc<T>], right: &[Arc<T>]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| Arc::ptr_eq(left, right))
}
