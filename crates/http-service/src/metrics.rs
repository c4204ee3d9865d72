//! Figures of one process, in the text format that Prometheus reads.
//!
//! What happens is counted by atomics that are made once, at the start. What merely is (a queue, connections) is not
//! counted at all: it is read when somebody asks.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// What every name starts with.
const PREFIX: &str = "payments";

/// Upper bounds of buckets in seconds: a payment takes some 30 ms, and no request more than 8 s.
pub const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Values of one label that are told apart.
const VALUES_MAX: usize = 256;

/// Stands for all further values, and for no value. Neither can be a client's name.
const OTHER: &str = "(other)";
/// Label of what has no value.
pub const NONE: &str = "(none)";

type Label = [(&'static str, &'static str); 1];

/// All figures of a program, while it is built; then read by [`crate::admin`].
#[derive(Debug)]
pub struct Metrics(Registry);

impl Default for Metrics {
    fn default() -> Self {
        Self(Registry::with_prefix(PREFIX))
    }
}

impl Metrics {
    /// What was counted under `name`, to which `_total` is added.
    pub fn count(&mut self, name: &'static str, help: &'static str, counter: &Counter) {
        self.0.register(name, unstopped(help), counter.clone());
    }

    /// A counter for each of these values of a label, in their order.
    pub fn count_each(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Vec<Counter> {
        let family = Family::<Label, Counter>::default();
        self.0.register(name, unstopped(help), family.clone());
        let counter = |value| family.get_or_create_owned(&[(label, value)]);
        values.into_iter().map(counter).collect()
    }

    /// Counters by a label whose values are not known from the start.
    pub fn count_by(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
    ) -> Labelled {
        let family = Family::default();
        self.0.register(name, unstopped(help), family.clone());
        let labelled = Labelled {
            family,
            label,
            seen: Arc::default(),
        };
        // A family without a counter would not stand in the text.
        labelled.counter(NONE);
        labelled
    }

    /// Registers a histogram.
    pub fn spread(&mut self, name: &'static str, help: &'static str, histogram: &Histogram) {
        self.0.register(name, unstopped(help), histogram.clone());
    }

    /// What `read` says whenever somebody asks.
    pub fn show(
        &mut self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        let read = Box::new(read);
        self.0
            .register_collector(Box::new(Shown { name, help, read }));
    }

    /// All of them, in the format `application/openmetrics-text`.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(8 * 1024);
        // Writing to a String can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.0);
        text
    }
}

/// Counters by a label: one for each value, up to a bound, and one for all others.
#[derive(Debug, Clone)]
pub struct Labelled {
    family: Family<[(&'static str, String); 1], Counter>,
    label: &'static str,
    seen: Arc<Mutex<HashSet<String>>>,
}

impl Labelled {
    /// The counter of this value. Keep it: to find it takes a lock.
    pub fn counter(&self, value: &str) -> Counter {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(value) && seen.len() < VALUES_MAX {
            seen.insert(value.to_owned());
        }
        let value = if seen.contains(value) { value } else { OTHER };
        let label = [(self.label, value.to_owned())];
        self.family.get_or_create_owned(&label)
    }
}

/// The registry adds a full stop by itself.
fn unstopped(help: &str) -> &str {
    help.trim_end_matches('.')
}

/// How values spread over buckets. Unlike the library's own it takes no lock: two requests at once do not meet.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    /// One for each bound, and one for what is larger.
    counts: Box<[AtomicU64]>,
    /// Millionths.
    sum: AtomicU64,
}

impl Histogram {
    /// `bounds` rise.
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets {
            bounds,
            counts,
            sum: AtomicU64::new(0),
        }))
    }

    /// Counts a duration.
    pub fn observe_time(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.observe(time.as_secs_f64(), micros);
    }

    /// So many of something.
    pub fn observe_count(&self, count: u32) {
        self.observe(f64::from(count), u64::from(count) * 1_000_000);
    }

    fn observe(&self, value: f64, millionths: u64) {
        let Buckets {
            bounds,
            counts,
            sum,
        } = &*self.0;
        let bucket = bounds.iter().position(|bound| value <= *bound);
        counts[bucket.unwrap_or(bounds.len())].fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(millionths, Ordering::Relaxed);
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let Buckets {
            bounds,
            counts,
            sum,
        } = &*self.0;
        let bounds = bounds.iter().copied().chain([f64::INFINITY]);
        let counts = counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_micros(sum.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

struct Shown {
    name: &'static str,
    help: &'static str,
    read: Box<dyn Fn() -> usize + Send + Sync>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let gauge = ConstGauge::new(u64::try_from((self.read)()).unwrap_or(u64::MAX));
        let metric = encoder.encode_descriptor(self.name, self.help, None, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_label_past_the_bound_share_a_counter() {
        let mut metrics = Metrics::default();
        let labelled = metrics.count_by("requests", "Requests.", "client");
        for client in 0..VALUES_MAX + 10 {
            labelled.counter(&format!("c{client}")).inc();
        }
        labelled.counter("c7").inc();
        let text = metrics.text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("payments_requests_total{"));
        assert_eq!(lines.count(), VALUES_MAX + 1);
        for line in [
            r#"payments_requests_total{client="(none)"} 0"#,
            r#"payments_requests_total{client="c7"} 2"#,
            r#"payments_requests_total{client="(other)"} 11"#,
        ] {
            assert!(text.lines().any(|other| other == line), "{line}");
        }
    }

    #[test]
    fn figures_stand_in_the_text_under_their_names() {
        let mut metrics = Metrics::default();
        let paid = Counter::default();
        metrics.count("paid", "Payments.", &paid);
        let codes = metrics.count_each("codes", "Answers.", "code", ["a", "b"]);
        let time = Histogram::new(&[0.1, 1.0]);
        metrics.spread("time_seconds", "Times.", &time);
        let size = Histogram::new(&[1.0, 10.0]);
        metrics.spread("size", "Sizes.", &size);
        metrics.show("queue", "Who waits.", || 7);
        paid.inc();
        codes[1].inc_by(2);
        for millis in [50, 100, 400, 3000] {
            time.observe_time(Duration::from_millis(millis));
        }
        size.observe_count(10);
        let text = metrics.text();
        for line in [
            "# HELP payments_paid Payments.",
            "payments_paid_total 1",
            r#"payments_codes_total{code="a"} 0"#,
            r#"payments_codes_total{code="b"} 2"#,
            "payments_time_seconds_sum 3.55",
            "payments_time_seconds_count 4",
            r#"payments_time_seconds_bucket{le="0.1"} 2"#,
            r#"payments_time_seconds_bucket{le="1.0"} 3"#,
            r#"payments_time_seconds_bucket{le="+Inf"} 4"#,
            "payments_size_sum 10.0",
            r#"payments_size_bucket{le="10.0"} 1"#,
            "payments_queue 7",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
