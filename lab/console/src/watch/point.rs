//! Figures of one second, and averages over several.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lab_runner::part::PartName;

use crate::source::tier::{Bound, Figures};

/// Seconds over which a page's figures are averaged.
const NOW: i64 = 10;

/// Figures of one second; `None` if no part answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Point {
    /// Unix time.
    pub(super) at: i64,
    pub(super) seconds: f64,
    pub(super) accepted: Option<u64>,
    pub(super) answers: Option<u64>,
    pub(super) failed: Option<u64>,
    pub(super) puts: Option<u64>,
    pub(super) runs: Option<u64>,
    pub(super) rows: Option<u64>,
    pub(super) lag: Option<Duration>,
    pub(super) times: BTreeMap<Bound, u64>,
}

/// The last ten seconds, as figures per second; `None` if no part answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Now {
    pub accepted: Option<f64>,
    pub answers: Option<f64>,
    pub failed: Option<f64>,
    pub puts: Option<f64>,
    pub runs: Option<f64>,
    pub rows: Option<f64>,
    pub median: Option<Duration>,
    pub p99: Option<Duration>,
    pub lag: Option<Duration>,
}

impl Point {
    /// Adds what a tier did since the last poll, and returns how many answers that was.
    pub(super) fn add(&mut self, tier: PartName, before: &Figures, now: &Figures) -> u64 {
        let add = |sum: &mut Option<u64>, before, now| {
            *sum = Some(sum.unwrap_or(0) + grown(before, now));
        };
        if matches!(tier, PartName::WebA | PartName::WebB) {
            add(&mut self.answers, before.answers, now.answers);
            add(&mut self.failed, before.failed, now.failed);
            let restarted = now.answers < before.answers;
            for (bound, count) in &now.times {
                let known = before.times.get(bound).filter(|_| !restarted);
                *self.times.entry(*bound).or_default() +=
                    grown(known.copied().unwrap_or(0), *count);
            }
        } else {
            add(&mut self.accepted, before.accepted, now.accepted);
            add(&mut self.puts, before.puts, now.puts);
        }
        grown(before.answers, now.answers)
    }
}

impl Now {
    /// Averages over the last seconds of a series.
    pub(super) fn of_last(points: &VecDeque<Point>) -> Self {
        let last = points.back().map_or(0, |point| point.at);
        let recent = points.iter().rev();
        Self::over(recent.take_while(|point| point.at > last - NOW))
    }

    pub(super) fn over<'a>(points: impl Iterator<Item = &'a Point> + Clone) -> Self {
        let rate = |count: fn(&Point) -> Option<u64>| {
            let told = points
                .clone()
                .filter_map(|point| Some((count(point)?, point.seconds)));
            let (count, seconds) = told.fold((0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            (seconds > 0.0).then(|| float(count) / seconds)
        };
        let mut times = BTreeMap::new();
        for (bound, count) in points.clone().flat_map(|point| &point.times) {
            *times.entry(*bound).or_default() += count;
        }
        Self {
            accepted: rate(|point| point.accepted),
            answers: rate(|point| point.answers),
            failed: rate(|point| point.failed),
            puts: rate(|point| point.puts),
            runs: rate(|point| point.runs),
            rows: rate(|point| point.rows),
            median: percentile(&times, 50),
            p99: percentile(&times, 99),
            lag: points.filter_map(|point| point.lag).max(),
        }
    }
}

/// Computes a percentile from cumulative counts, linear within a bucket; `None` if nothing was counted.
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

/// Returns what was added to a counter, which restarts at zero with its process.
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
