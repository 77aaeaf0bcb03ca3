//! Counters and histograms, a set a worker: plain numbers that nobody else touches. A scrape asks each worker for a copy,
//! adds them up and writes them in the text format of Prometheus.
//!
//! Source: Prometheus, "Exposition formats", text format 0.0.4.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use super::label_hash::LabelHash;

/// A family of series, known by its name: one name, one help text, the names of its labels.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub help: &'static str,
    pub labels: &'static [&'static str],
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Family {}

impl Hash for Family {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Requests by what they reached and what became of them.
pub const REQUESTS: Family = Family {
    name: "mlgate_requests_total",
    help: "Requests answered, by class, transport action and outcome",
    labels: &["cluster", "class", "action", "outcome"],
};
/// Requests that the gate held.
pub const GATE_REJECTIONS: Family = Family {
    name: "mlgate_gate_rejections_total",
    help: "Requests refused by the upgrade-mode gate",
    labels: &["cluster", "action"],
};
pub const AUTHENTICATIONS: Family = Family {
    name: "mlgate_authentications_total",
    help: "Requests with credentials, by realm and outcome",
    labels: &["cluster", "realm", "outcome"],
};
pub const AUTHORIZATION_DENIED: Family = Family {
    name: "mlgate_authorization_denied_total",
    help: "Requests denied for want of a privilege",
    labels: &["cluster", "action"],
};
pub const UPSTREAM_REQUESTS: Family = Family {
    name: "mlgate_upstream_requests_total",
    help: "Requests sent to nodes, by outcome",
    labels: &["cluster", "node", "outcome"],
};
/// Time from the first byte of a request's head to the last of its answer.
pub const REQUEST_DURATION: Family = Family {
    name: "mlgate_request_duration_seconds",
    help: "Time from a request's head to the end of its answer",
    labels: &["cluster", "class"],
};

/// Upper bounds of the buckets of [`REQUEST_DURATION`], in seconds.
const BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The value of a label: known at compile time, or of this worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    Static(&'static str),
    Local(Rc<str>),
}

impl Label {
    fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Local(text) => text,
        }
    }
}

const LABELS_MAX: usize = 4;
type Labels = [Label; LABELS_MAX];

/// What one worker has counted since its start.
#[derive(Default)]
pub struct WorkerMetrics {
    counters: HashMap<(&'static Family, Labels), u64, LabelHash>,
    durations: HashMap<(Label, Label), Histogram, LabelHash>,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    /// How many fell into each bucket (not cumulated), the last for those above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl WorkerMetrics {
    /// Adds one. The labels in the order of the family, at most four.
    pub fn count<const N: usize>(&mut self, family: &'static Family, labels: [Label; N]) {
        let mut given = labels.into_iter();
        let labels = std::array::from_fn(|_| given.next().unwrap_or(Label::Static("")));
        *self.counters.entry((family, labels)).or_insert(0) += 1;
    }

    /// Adds a duration to [`REQUEST_DURATION`].
    pub fn took(&mut self, cluster: Label, class: Label, duration: Duration) {
        let histogram = self.durations.entry((cluster, class)).or_default();
        let bucket = BOUNDS.partition_point(|bound| *bound < duration.as_secs_f64());
        if let Some(count) = histogram.buckets.get_mut(bucket) {
            *count += 1;
        }
        histogram.sum += duration;
    }

    /// Adds all of it to a page.
    pub fn copy_into(&self, page: &mut Page) {
        for ((family, labels), count) in &self.counters {
            let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
            page.add(family, Kind::Counter, ("", &[]), &labels, exact(*count));
        }
        for ((cluster, class), histogram) in &self.durations {
            histogram.copy_into(page, &[cluster.as_str(), class.as_str()]);
        }
    }
}

impl Histogram {
    fn copy_into(&self, page: &mut Page, labels: &[&str]) {
        let mut cumulated = 0;
        let bounds = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (count, bound) in self.buckets.iter().zip(bounds) {
            cumulated += count;
            let bucket: (&str, &[_]) = ("_bucket", &[("le", bound.as_str())]);
            page.add(&REQUEST_DURATION, Kind::Histogram, bucket, labels, exact(cumulated));
        }
        page.add(&REQUEST_DURATION, Kind::Histogram, ("_sum", &[]), labels, self.sum.as_secs_f64());
        page.add(&REQUEST_DURATION, Kind::Histogram, ("_count", &[]), labels, exact(cumulated));
    }
}

/// What a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The text of one scrape; equal series of several workers are added up.
#[derive(Clone, Default)]
pub struct Page {
    families: BTreeMap<&'static str, Lines>,
}

/// The series of one family in the order in which they came: buckets must rise.
#[derive(Clone)]
struct Lines {
    head: String,
    values: Vec<(String, f64)>,
    places: HashMap<String, usize>,
}

impl Lines {
    fn new(head: String) -> Self {
        Self { head, values: Vec::new(), places: HashMap::new() }
    }

    fn add(&mut self, series: String, value: f64) {
        let place = *self.places.entry(series.clone()).or_insert(self.values.len());
        match self.values.get_mut(place) {
            Some((_, sum)) => *sum += value,
            None => self.values.push((series, value)),
        }
    }
}

impl Page {
    /// Adds `value` to a series: `suffix` after the family's name, `more` labels after its own.
    fn add(
        &mut self,
        family: &'static Family,
        kind: Kind,
        (suffix, more): (&str, &[(&str, &str)]),
        labels: &[&str],
        value: f64,
    ) {
        let own = family.labels.iter().copied().zip(labels.iter().copied());
        let labels: Vec<String> =
            own.chain(more.iter().copied()).map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let lines = self.families.entry(family.name).or_insert_with(|| Lines::new(head(family, kind)));
        lines.add(format!("{}{suffix}{braces}", family.name), value);
    }

    /// Adds a gauge, or a counter that is kept elsewhere.
    pub fn put(&mut self, family: &'static Family, kind: Kind, labels: &[&str], value: f64) {
        self.add(family, kind, ("", &[]), labels, value);
    }

    /// The page, `text/plain; version=0.0.4`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for lines in self.families.values() {
            text.push_str(&lines.head);
            for (name, value) in &lines.values {
                // Writing to a String cannot fail.
                let _infallible = writeln!(text, "{name} {value}");
            }
        }
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows floats only; exact up to 2^53")]
const fn exact(count: u64) -> f64 {
    count as f64
}

fn head(family: &Family, kind: Kind) -> String {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n", name = family.name, help = family.help)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> Label {
        Label::Local(Rc::from(text))
    }

    #[test]
    fn series_of_several_workers_are_added_up() {
        let mut page = Page::default();
        for _ in 0..2 {
            let mut worker = WorkerMetrics::default();
            worker
                .count(&REQUESTS, [local("main"), Label::Static("ml"), Label::Static("a"), Label::Static("forwarded")]);
            worker.count(&GATE_REJECTIONS, [local("a\"b\n"), Label::Static("x")]);
            worker.copy_into(&mut page);
        }
        let text = page.text();
        assert!(
            text.contains(
                "mlgate_requests_total{cluster=\"main\",class=\"ml\",action=\"a\",outcome=\"forwarded\"} 2\n"
            ),
            "{text}"
        );
        assert!(text.contains("mlgate_gate_rejections_total{cluster=\"a\\\"b\\n\",action=\"x\"} 2\n"), "{text}");
        assert!(text.contains("# TYPE mlgate_requests_total counter\n"), "{text}");
    }

    #[test]
    fn buckets_are_cumulated() {
        let mut worker = WorkerMetrics::default();
        for milliseconds in [1, 2, 400, 120_000] {
            worker.took(local("main"), Label::Static("ml"), Duration::from_millis(milliseconds));
        }
        let mut page = Page::default();
        worker.copy_into(&mut page);
        let text = page.text();
        for line in [
            "mlgate_request_duration_seconds_bucket{cluster=\"main\",class=\"ml\",le=\"0.001\"} 1",
            "mlgate_request_duration_seconds_bucket{cluster=\"main\",class=\"ml\",le=\"0.0025\"} 2",
            "mlgate_request_duration_seconds_bucket{cluster=\"main\",class=\"ml\",le=\"60\"} 3",
            "mlgate_request_duration_seconds_bucket{cluster=\"main\",class=\"ml\",le=\"+Inf\"} 4",
            "mlgate_request_duration_seconds_count{cluster=\"main\",class=\"ml\"} 4",
            "mlgate_request_duration_seconds_sum{cluster=\"main\",class=\"ml\"} 120.403",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
