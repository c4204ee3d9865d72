//! The last minutes: what charts show, and what happened.

mod event;
mod look;
mod part;
mod point;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab_runner::fault::Target;
use lab_runner::part::PartName;
use serde::Serialize;
use time::OffsetDateTime;

pub use self::event::{Event, Severity};
pub use self::look::Look;
use self::part::Parts;
pub use self::part::{Part, State};
pub use self::point::Now;
use self::point::{Point, float, grown};
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
    /// When the last look began.
    at: Option<OffsetDateTime>,
    points: VecDeque<Point>,
    tiers: BTreeMap<PartName, Figures>,
    /// Answers a second, between the last two looks.
    tier_rates: BTreeMap<PartName, f64>,
    function: Option<Function>,
    rows: Option<Rows>,
    dead_letters: Option<u64>,
    queued: Option<u64>,
    /// The rows at the start.
    counted: Option<Since>,
    parts: Parts,
    /// What each target told last, also one that does not answer now.
    faults: BTreeMap<Target, Vec<String>>,
}

/// How many rows there were at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
    pub count: u64,
    pub at: OffsetDateTime,
}

/// Columns for the charts; `null` where there is nothing to tell.
#[derive(Debug, Default, Serialize)]
pub struct Series {
    at: Vec<i64>,
    accepted: Vec<Option<f64>>,
    rows: Vec<Option<f64>>,
    failed: Vec<Option<f64>>,
    /// In milliseconds.
    median: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    lag: Vec<Option<f64>>,
}

impl Watch {
    /// When the last look at the parts began: nothing that is told here is newer.
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

    /// As the database told last.
    pub fn rows(&self) -> Option<Rows> {
        self.past().rows
    }

    /// `None` while their queue does not answer.
    pub fn dead_letters(&self) -> Option<u64> {
        self.past().dead_letters
    }

    /// Events in the queue before the function; `None` where there is no queue or it does not answer.
    pub fn queued(&self) -> Option<u64> {
        self.past().queued
    }

    /// Newest first.
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

    /// The rows at the start, once they are counted.
    pub fn counted(&self) -> Option<Since> {
        self.past().counted
    }

    pub fn set_counted(&self, counted: Since) {
        self.past().counted = Some(counted);
    }

    pub fn take(&self, look: Look) {
        let news = self.past().take(look);
        for (severity, text) in news {
            self.note(severity, text);
        }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// Takes over what a look found, and returns what is new about the parts.
    fn take(&mut self, look: Look) -> Vec<(Severity, String)> {
        let mut point = Point {
            at: look.at.unix_timestamp(),
            seconds: look.seconds,
            ..Point::default()
        };
        for (tier, figures) in look.tiers {
            let Some(figures) = figures else {
                self.tiers.remove(&tier);
                self.tier_rates.remove(&tier);
                continue;
            };
            if let Some(before) = self.tiers.get(&tier) {
                let answers = point.add(tier, before, &figures);
                self.tier_rates.insert(tier, float(answers) / look.seconds);
            }
            self.tiers.insert(tier, figures);
        }
        if let (Some(before), Some(now)) = (&self.function, &look.function) {
            point.runs = Some(grown(before.counts.invocations, now.counts.invocations));
        }
        self.function = look.function;
        if let Some((count, lag)) = look.rows {
            point.rows = self.rows.map(|before| grown(before.count, count));
            point.lag = lag;
            self.rows = Some(Rows { count, at: look.at });
        }
        let excess = (self.points.len() + 1).saturating_sub(POINTS_MAX);
        self.points.drain(..excess);
        self.points.push_back(point);
        (self.dead_letters, self.queued) = (look.dead_letters, look.queued);
        for (target, faults) in look.faults {
            if let Some(faults) = faults {
                self.faults.insert(target, faults);
            }
        }
        self.at = Some(look.at);
        self.parts.take(look.at, look.parts, look.answers)
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
        watch.take(Look {
            tiers: vec![(PartName::WebA, figures)],
            ..Look::default()
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
            watch.take(Look {
                faults: vec![(Target::S3, faults)],
                ..Look::default()
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
