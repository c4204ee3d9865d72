//! The last minutes: data for the charts, and recent events.

mod event;
mod part;
mod point;
mod snapshot;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab_runner::fault::FaultTarget;
use lab_runner::part::PartName;
use serde::Serialize;
use time::OffsetDateTime;

pub use self::event::{Event, Severity};
use self::part::Parts;
pub use self::part::{Part, WatchedState};
pub use self::point::Now;
use self::point::{Point, float, grown};
pub use self::snapshot::Snapshot;
use crate::source::function::Function;
use crate::source::rows::Since;
use crate::source::tier::Figures;

/// Five minutes.
const POINTS_MAX: usize = 300;

const EVENTS_MAX: usize = 60;

#[derive(Debug, Default)]
pub struct Watch {
    past: Mutex<Past>,
    events: Mutex<VecDeque<Event>>,
}

#[derive(Debug, Default)]
struct Past {
    /// When the last poll began.
    at: Option<OffsetDateTime>,
    points: VecDeque<Point>,
    tiers: BTreeMap<PartName, Figures>,
    /// Answers per second, between the last two polls.
    tier_rates: BTreeMap<PartName, f64>,
    function: Option<Function>,
    rows: Option<Rows>,
    dead_letters: Option<u64>,
    queued: Option<u64>,
    /// The initial count of rows.
    counted: Option<Since>,
    parts: Parts,
    /// The latest answer of each target, even if it does not answer now.
    faults: BTreeMap<FaultTarget, Vec<String>>,
}

/// Number of rows at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
    pub count: u64,
    pub at: OffsetDateTime,
}

/// Chart columns; `null` for missing values.
#[derive(Debug, Default, Serialize)]
pub struct Series {
    at: Vec<i64>,
    accepted: Vec<Option<f64>>,
    rows: Vec<Option<f64>>,
    failed: Vec<Option<f64>>,
    /// Milliseconds.
    median: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    lag: Vec<Option<f64>>,
}

impl Watch {
    /// When the last poll began: nothing that is shown is newer.
    pub fn at(&self) -> Option<OffsetDateTime> {
        self.past().at
    }

    pub fn parts(&self) -> Vec<Part> {
        self.past().parts.all(OffsetDateTime::now_utc())
    }

    pub fn faults(&self) -> Vec<String> {
        self.past().faults.values().flatten().cloned().collect()
    }

    pub fn function(&self) -> Option<Function> {
        self.past().function.clone()
    }

    pub fn tier(&self, tier: PartName) -> Option<(Figures, f64)> {
        let past = self.past();
        let rate = past.tier_rates.get(&tier).copied().unwrap_or_default();
        Some((past.tiers.get(&tier)?.clone(), rate))
    }

    /// Returns the latest number of rows.
    pub fn rows(&self) -> Option<Rows> {
        self.past().rows
    }

    /// Returns `None` while the queue does not answer.
    pub fn dead_letters(&self) -> Option<u64> {
        self.past().dead_letters
    }

    /// Returns the queued events in front of the function; `None` without a queue, or if it does not answer.
    pub fn queued(&self) -> Option<u64> {
        self.past().queued
    }

    /// Returns recent events, newest first.
    pub fn events(&self, most: usize) -> Vec<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().take(most).cloned().collect()
    }

    pub fn note(&self, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        tracing::info!(severity = severity.as_str(), text, "event");
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.truncate(EVENTS_MAX - 1);
        let at = OffsetDateTime::now_utc();
        events.push_front(Event { at, severity, text });
    }

    pub fn now(&self) -> Now {
        Now::of_last(&self.past().points)
    }

    pub fn series(&self) -> Series {
        let past = self.past();
        let mut series = Series::default();
        for point in &past.points {
            let now = Now::over([point].into_iter());
            series.at.push(point.at);
            series.accepted.push(now.accepted);
            series.rows.push(now.rows);
            series.failed.push(now.failed);
            series.median.push(now.median.map(milliseconds));
            series.p99.push(now.p99.map(milliseconds));
            series.lag.push(now.lag.map(milliseconds));
        }
        series
    }

    /// Returns the initial count of rows, once there is one.
    pub fn counted(&self) -> Option<Since> {
        self.past().counted
    }

    pub fn set_counted(&self, counted: Since) {
        self.past().counted = Some(counted);
    }

    pub fn take(&self, snapshot: Snapshot) {
        let news = self.past().take(snapshot);
        for (severity, text) in news {
            self.note(severity, text);
        }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// Applies a snapshot, and returns what is new about the parts.
    fn take(&mut self, snapshot: Snapshot) -> Vec<(Severity, String)> {
        let mut point = Point {
            at: snapshot.at.unix_timestamp(),
            seconds: snapshot.seconds,
            ..Point::default()
        };
        for (tier, figures) in snapshot.tiers {
            let Some(figures) = figures else {
                self.tiers.remove(&tier);
                self.tier_rates.remove(&tier);
                continue;
            };
            if let Some(before) = self.tiers.get(&tier) {
                let answers = point.add(tier, before, &figures);
                self.tier_rates
                    .insert(tier, float(answers) / snapshot.seconds);
            }
            self.tiers.insert(tier, figures);
        }
        if let (Some(before), Some(now)) = (&self.function, &snapshot.function) {
            point.runs = Some(grown(before.counts.invocations, now.counts.invocations));
        }
        self.function = snapshot.function;
        if let Some((count, lag)) = snapshot.rows {
            point.rows = self.rows.map(|before| grown(before.count, count));
            point.lag = lag;
            self.rows = Some(Rows {
                count,
                at: snapshot.at,
            });
        }
        let excess = (self.points.len() + 1).saturating_sub(POINTS_MAX);
        self.points.drain(..excess);
        self.points.push_back(point);
        (self.dead_letters, self.queued) = (snapshot.dead_letters, snapshot.queued);
        for (target, faults) in snapshot.faults {
            if let Some(faults) = faults {
                self.faults.insert(target, faults);
            }
        }
        self.at = Some(snapshot.at);
        self.parts
            .take(snapshot.at, snapshot.parts, snapshot.answers)
    }
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(watch: &Watch, answers: Option<u64>) {
        let figures = answers.map(|answers| Figures {
            answers,
            ..Figures::default()
        });
        watch.take(Snapshot {
            tiers: vec![(PartName::WebA, figures)],
            ..Snapshot::default()
        });
    }

    #[test]
    fn a_rate_is_what_was_added_and_a_restart_takes_nothing_back() {
        let watch = Watch::default();
        for answers in [1_000, 1_040, 6] {
            look(&watch, Some(answers));
        }
        let past = watch.past();
        let answers: Vec<_> = past.points.iter().map(|point| point.answers).collect();
        assert_eq!(answers, [None, Some(40), Some(6)]);
    }

    #[test]
    fn a_tier_that_does_not_answer_has_no_rate_rather_than_none_at_all() {
        let watch = Watch::default();
        for answers in [Some(1_000), Some(1_040), None] {
            look(&watch, answers);
        }
        let failed = watch.series().failed;
        assert_eq!(failed, [None, Some(0.0), None]);
        assert_eq!(watch.now().answers, Some(40.0));
        assert_eq!(watch.now().accepted, None);
    }

    #[test]
    fn a_fault_stays_on_while_its_target_does_not_answer() {
        let watch = Watch::default();
        let on = vec!["s3/slow".to_owned()];
        for faults in [Some(on.clone()), None] {
            watch.take(Snapshot {
                faults: vec![(FaultTarget::S3, faults)],
                ..Snapshot::default()
            });
            assert_eq!(watch.faults(), on);
        }
    }

    #[test]
    fn the_past_is_bounded() {
        let watch = Watch::default();
        for answers in 0..400 {
            look(&watch, Some(answers));
            watch.note(Severity::Plain, "something");
        }
        assert_eq!(watch.series().at.len(), POINTS_MAX);
        assert_eq!(watch.events(1_000).len(), EVENTS_MAX);
    }
}
