//! The last minutes, a look a second: what charts show, and what happened.

mod counter;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use lab_runner::fault::{Target, all};
use lab_runner::part::PartName;
use lab_runner::ports::TIERS;
use lab_runner::state::status::{PartState, PartStatus, Status};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::counter::Counter;
use crate::server::Console;
use crate::source::function::Function;
use crate::source::rows::Since;
use crate::source::tier::{Bound, Figures};

const EVERY: Duration = Duration::from_secs(1);

/// A database that takes longer to count new rows holds up nothing else.
const ROWS_PATIENCE: Duration = Duration::from_millis(700);

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

/// What happened in one second.
#[derive(Clone, Debug, Default)]
struct Point {
    /// Unix time.
    at: i64,
    seconds: f64,
    accepted: u64,
    answers: u64,
    failed: u64,
    puts: u64,
    runs: u64,
    rows: u64,
    lag: Option<Duration>,
    times: BTreeMap<Bound, u64>,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub at: OffsetDateTime,
    pub mood: Mood,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mood {
    Good,
    Bad,
    Plain,
}

impl Mood {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

/// The last ten seconds, each figure of one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Now {
    pub accepted: f64,
    pub answers: f64,
    pub failed: f64,
    pub puts: f64,
    pub runs: f64,
    pub rows: f64,
    pub median: Option<Duration>,
    pub p99: Option<Duration>,
    pub lag: Option<Duration>,
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

/// Looks once a second, until the task is ended.
pub async fn run(console: Arc<Console>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Instant::now();
    let mut counter = None;
    loop {
        ticks.tick().await;
        // Of the question, not of the last answer: a part that is away keeps the others' figures as they are.
        let seconds = before.elapsed().as_secs_f64();
        before = Instant::now();
        if counter.is_none() {
            counter = console.watch.past().counted.map(Counter::after);
        }
        let counting = async { counter.as_mut()?.look(&console.rows).await };
        let (tiers, function, rows, faults) = tokio::join!(
            join_all(TIERS.map(|tier| Figures::of(tier, &console))),
            Function::of(&console),
            timeout(ROWS_PATIENCE, counting),
            faults_on(&console),
        );
        let parts = Status::load(&console.lab.dir)
            .ok()
            .flatten()
            .map(|status| status.parts);
        let tiers = TIERS.into_iter().zip(tiers.into_iter().map(Result::ok));
        let watch = &console.watch;
        watch.take(seconds, tiers, function.ok(), rows.ok().flatten());
        watch.note_parts(&parts.unwrap_or_default());
        watch.past().faults = faults;
    }
}

/// Counts all rows once, by itself: of a large table that takes a minute.
pub async fn count(console: Arc<Console>) {
    loop {
        if let Ok(all) = console.rows.count().await {
            console.watch.past().counted = Some(all);
            return;
        }
        sleep(EVERY).await;
    }
}

/// Every fault that tells that it is on.
async fn faults_on(console: &Console) -> Vec<String> {
    let lists = join_all(Target::ALL.map(|target| all::list(target, &console.lab))).await;
    let is_on = |fault: &all::Listed| matches!(fault.state, all::State::On(_));
    lists
        .into_iter()
        .flatten()
        .flatten()
        .filter(is_on)
        .map(|fault| format!("{}/{}", fault.target.name(), fault.kind))
        .collect()
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

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(
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

    fn note_parts(&self, parts: &[PartStatus]) {
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

impl Point {
    /// Adds what a tier did meanwhile, and returns how often it answered.
    fn add(&mut self, tier: PartName, before: &Figures, now: &Figures) -> u64 {
        let answers = grown(before.answers, now.answers);
        if matches!(tier, PartName::WebA | PartName::WebB) {
            self.answers += answers;
            self.failed += grown(before.failed, now.failed);
            let restarted = now.answers < before.answers;
            for (bound, count) in &now.times {
                let known = before.times.get(bound).filter(|_| !restarted);
                *self.times.entry(*bound).or_default() +=
                    grown(known.copied().unwrap_or(0), *count);
            }
        } else {
            self.accepted += grown(before.accepted, now.accepted);
            self.puts += grown(before.puts, now.puts);
        }
        answers
    }
}

impl Now {
    fn over<'a>(points: impl Iterator<Item = &'a Point>) -> Self {
        let mut sum = Point::default();
        for point in points {
            sum.seconds += point.seconds;
            sum.accepted += point.accepted;
            sum.answers += point.answers;
            sum.failed += point.failed;
            sum.puts += point.puts;
            sum.runs += point.runs;
            sum.rows += point.rows;
            sum.lag = sum.lag.max(point.lag);
            for (bound, count) in &point.times {
                *sum.times.entry(*bound).or_default() += count;
            }
        }
        let rate = |count| float(count) / sum.seconds.max(0.001);
        Self {
            accepted: rate(sum.accepted),
            answers: rate(sum.answers),
            failed: rate(sum.failed),
            puts: rate(sum.puts),
            runs: rate(sum.runs),
            rows: rate(sum.rows),
            median: percentile(&sum.times, 50),
            p99: percentile(&sum.times, 99),
            lag: sum.lag,
        }
    }
}

/// Of counts up to each bound, evenly spread between two bounds; nothing where nothing was counted.
fn percentile(times: &BTreeMap<Bound, u64>, percent: u64) -> Option<Duration> {
    let total = *times.get(&None).filter(|total| **total > 0)?;
    let rank = (total * percent).div_ceil(100).max(1);
    let (mut lower, mut below) = (0, 0);
    for (bound, count) in times {
        let Some(upper) = *bound else { continue };
        if *count >= rank {
            let within = (upper - lower) * (rank - below) / (count - below);
            return Some(Duration::from_micros(lower + within));
        }
        (lower, below) = (upper, *count);
    }
    Some(Duration::from_micros(lower))
}

/// What was added to a counter, which begins anew with its process.
fn grown(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_percentile_lies_in_its_bucket() {
        let times = [
            (Some(10_000), 50),
            (Some(20_000), 98),
            (Some(50_000), 100),
            (None, 100),
        ];
        let times: BTreeMap<_, _> = times.into();
        assert_eq!(percentile(&times, 50), Some(Duration::from_millis(10)));
        assert_eq!(percentile(&times, 99), Some(Duration::from_millis(35)));
        assert_eq!(percentile(&BTreeMap::new(), 50), None);
        let beyond = BTreeMap::from([(Some(10_000), 0), (None, 3)]);
        assert_eq!(percentile(&beyond, 50), Some(Duration::from_millis(10)));
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
