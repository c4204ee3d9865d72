//! One second, and the figures over several.

use std::collections::BTreeMap;
use std::time::Duration;

use lab::part::PartName;

use crate::source::tier::{Bound, Figures};

/// What happened in one second.
#[derive(Clone, Debug, Default)]
pub(super) struct Point {
    /// Unix time.
    pub(super) at: i64,
    pub(super) seconds: f64,
    pub(super) accepted: u64,
    pub(super) answers: u64,
    pub(super) failed: u64,
    pub(super) puts: u64,
    pub(super) runs: u64,
    pub(super) rows: u64,
    pub(super) lag: Option<Duration>,
    pub(super) times: BTreeMap<Bound, u64>,
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

impl Point {
    /// Adds what a tier did meanwhile, and returns how often it answered.
    pub(super) fn add(&mut self, tier: PartName, before: &Figures, now: &Figures) -> u64 {
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
    pub(super) fn over<'a>(points: impl Iterator<Item = &'a Point>) -> Self {
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
pub(super) fn grown(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

pub(super) fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
