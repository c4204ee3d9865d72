//! The last minutes: what charts show, and what happened.

mod event;
mod point;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab::part::PartName;
use lab::state::status::{PartState, PartStatus};
use serde::Serialize;
use time::OffsetDateTime;

pub use self::event::{Event, Mood};
pub use self::point::Now;
use self::point::{Point, float, grown};
use crate::source::function::Function;
use crate::source::rows::Since;
use crate::source::tier::Figures;

/// Five minutes.
const POINTS_MAX: usize = 300;

/// What a figure on a page is taken over.
const NOW: usize = 10;

const EVENTS_MAX: usize = 60;

#[derive(Debug, Default)]
pub struct Watch {
    past: Mutex<Past>,
    events: Mutex<VecDeque<Event>>,
}

#[derive(Debug, Default)]
struct Past {
    points: VecDeque<Point>,
    tiers: BTreeMap<PartName, Figures>,
    /// Of one second.
    tier_rates: BTreeMap<PartName, f64>,
    function: Option<Function>,
    rows: Option<u64>,
    /// The rows at the start.
    counted: Option<Since>,
    parts: Vec<PartStatus>,
    faults: Vec<String>,
}

/// Columns for the charts; `null` where there is nothing to tell.
#[derive(Debug, Default, Serialize)]
pub struct Series {
    at: Vec<i64>,
    accepted: Vec<f64>,
    rows: Vec<f64>,
    failed: Vec<f64>,
    /// In milliseconds.
    median: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    lag: Vec<Option<f64>>,
}

impl Watch {
    /// As the last look found it.
    pub fn parts(&self) -> Vec<PartStatus> {
        self.past().parts.clone()
    }

    pub fn faults(&self) -> Vec<String> {
        self.past().faults.clone()
    }

    pub fn function(&self) -> Option<Function> {
        self.past().function.clone()
    }

    pub fn tier(&self, tier: PartName) -> Option<(Figures, f64)> {
        let past = self.past();
        let rate = past.tier_rates.get(&tier).copied().unwrap_or_default();
        Some((past.tiers.get(&tier)?.clone(), rate))
    }

    /// Rows that there are, where the database told.
    pub fn rows(&self) -> Option<u64> {
        self.past().rows
    }

    /// Newest first.
    pub fn events(&self, most: usize) -> Vec<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().take(most).cloned().collect()
    }

    pub fn note(&self, mood: Mood, text: impl Into<String>) {
        let text = text.into();
        tracing::info!(mood = mood.as_str(), text, "event");
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.truncate(EVENTS_MAX - 1);
        let at = OffsetDateTime::now_utc();
        events.push_front(Event { at, mood, text });
    }

    pub fn now(&self) -> Now {
        let past = self.past();
        Now::over(past.points.iter().rev().take(NOW))
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

    pub fn set_faults(&self, faults: Vec<String>) {
        self.past().faults = faults;
    }

    /// The rows at the start, once they are counted.
    pub fn counted(&self) -> Option<Since> {
        self.past().counted
    }

    pub fn set_counted(&self, counted: Since) {
        self.past().counted = Some(counted);
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a look found, so many seconds after the one before.
    pub fn take(
        &self,
        seconds: f64,
        tiers: impl Iterator<Item = (PartName, Option<Figures>)>,
        function: Option<Function>,
        rows: Option<(u64, Option<Duration>)>,
    ) {
        let mut past = self.past();
        let mut point = Point {
            at: OffsetDateTime::now_utc().unix_timestamp(),
            seconds,
            ..Point::default()
        };
        for (tier, figures) in tiers {
            let Some(figures) = figures else {
                past.tiers.remove(&tier);
                past.tier_rates.remove(&tier);
                continue;
            };
            if let Some(before) = past.tiers.get(&tier) {
                let answers = point.add(tier, before, &figures);
                past.tier_rates.insert(tier, float(answers) / seconds);
            }
            past.tiers.insert(tier, figures);
        }
        if let (Some(before), Some(now)) = (&past.function, &function) {
            point.runs = grown(before.counts.invocations, now.counts.invocations);
        }
        past.function = function;
        if let Some((total, lag)) = rows {
            point.rows = past.rows.map_or(0, |before| grown(before, total));
            point.lag = lag;
            past.rows = Some(total);
        }
        let excess = (past.points.len() + 1).saturating_sub(POINTS_MAX);
        past.points.drain(..excess);
        past.points.push_back(point);
    }

    /// Notes what became of the parts since the last look.
    pub fn note_parts(&self, parts: &[PartStatus]) {
        let before = std::mem::replace(&mut self.past().parts, parts.to_vec());
        for part in parts {
            let known = before.iter().find(|known| known.part == part.part);
            let Some(news) = known.and_then(|known| part.news_since(known)) else {
                continue;
            };
            let mood = match part.state {
                PartState::Healthy if !news.starts_with("died") => Mood::Good,
                PartState::Starting => Mood::Plain,
                _ => Mood::Bad,
            };
            self.note(mood, format!("{} {news}", part.part));
        }
    }
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tier::Bound;

    fn web(answers: u64, times: &[(Bound, u64)]) -> Figures {
        Figures {
            answers,
            times: times.iter().copied().collect(),
            ..Figures::default()
        }
    }

    fn look(watch: &Watch, figures: Figures) {
        let tiers = [(PartName::WebA, Some(figures))].into_iter();
        watch.take(1.0, tiers, None, None);
    }

    #[test]
    fn a_rate_is_what_was_added_and_a_process_that_begins_anew_takes_nothing_back() {
        let watch = Watch::default();
        look(&watch, web(1_000, &[]));
        look(&watch, web(1_040, &[]));
        look(&watch, web(6, &[]));
        let answers: Vec<_> = watch
            .past()
            .points
            .iter()
            .map(|point| point.answers)
            .collect();
        assert_eq!(answers, [0, 40, 6]);
    }

    #[test]
    fn the_past_is_bounded() {
        let watch = Watch::default();
        for answers in 0..400 {
            look(&watch, web(answers, &[]));
            watch.note(Mood::Plain, "something");
        }
        assert_eq!(watch.series().at.len(), POINTS_MAX);
        assert_eq!(watch.events(1_000).len(), EVENTS_MAX);
    }
}
