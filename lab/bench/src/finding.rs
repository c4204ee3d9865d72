//! Findings: figures of several rounds, and how they compare with a target.

use std::{fmt, time::Duration};

use serde::Serialize;

/// One quantity, measured in several rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub rounds: Vec<f64>,
}

impl Figure {
    pub fn new(name: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            unit,
            rounds,
        }
    }

    /// Median of the rounds; NaN if there are none.
    pub fn median(&self) -> f64 {
        Spread::of(self.rounds.clone()).median
    }
}

/// Median and quartiles of several rounds: how much the machine's noise moves a figure.
#[derive(Clone, Copy, Debug, Serialize)]
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    /// NaN if there are no rounds.
    fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let quarter = |number: usize| {
            let place = number * rounds.len().saturating_sub(1);
            let at = |place: usize| rounds.get(place).copied().unwrap_or(f64::NAN);
            let (below, above) = (at(place / 4), at(place.div_ceil(4)));
            let rest = u8::try_from(place % 4).map_or(0.0, f64::from);
            below + (above - below) * rest / 4.0
        };
        Self {
            low: quarter(1),
            median: quarter(2),
            high: quarter(3),
        }
    }

    /// Our figure in units of the peer's, round by round. Both sides had the same noise in one round.
    fn ratio(ours: &Figure, peer: &Figure) -> Self {
        if ours.rounds.len() != peer.rounds.len() {
            return Self::of(vec![ours.median() / peer.median()]);
        }
        let pairs = ours.rounds.iter().zip(&peer.rounds);
        Self::of(pairs.map(|(ours, peer)| ours / peer).collect())
    }

    fn show(self, unit: &str) -> String {
        let Self { low, median, high } = self;
        if number(low) == number(high) {
            return format!("{} {unit}", number(median));
        }
        format!(
            "{} {unit} ({}–{})",
            number(median),
            number(low),
            number(high)
        )
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, number(self.median()), self.unit)
    }
}

/// One line of the table: a target, and whether this run meets it. It does where the worse quartile of its rounds does.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub what: String,
    pub target: String,
    /// Median, and the quartiles in parentheses.
    pub today: String,
    /// `None` if it could not be measured on this machine.
    pub met: Option<bool>,
    pub figures: Vec<Figure>,
}

impl Finding {
    /// Our figure must be at least `wanted` times the peer's.
    pub fn times(what: &str, ours: Figure, peer: Figure, wanted: f64) -> Self {
        Self::beside(what, ours, peer, wanted, |ratio| ratio.low >= wanted)
    }

    /// Our figure must be at most this fraction of the peer's.
    pub fn share(what: &str, ours: Figure, peer: Figure, wanted: f64) -> Self {
        Self::beside(what, ours, peer, wanted, |ratio| ratio.high <= wanted)
    }

    fn beside(
        what: &str,
        ours: Figure,
        peer: Figure,
        wanted: f64,
        is_met: impl FnOnce(Spread) -> bool,
    ) -> Self {
        let ratio = Spread::ratio(&ours, &peer);
        Self {
            what: what.to_owned(),
            target: format!("{} × {}", number(wanted), peer.name),
            today: ratio.show("×"),
            met: Some(is_met(ratio)),
            figures: vec![ours, peer],
        }
    }

    pub fn at_most(what: &str, figure: Figure, wanted: f64) -> Self {
        let spread = Spread::of(figure.rounds.clone());
        Self {
            what: what.to_owned(),
            target: format!("{} {}", number(wanted), figure.unit),
            today: spread.show(figure.unit),
            met: Some(spread.high <= wanted),
            figures: vec![figure],
        }
    }

    pub fn not_measured(what: &str, target: &str, why: &str, figures: Vec<Figure>) -> Self {
        Self {
            what: what.to_owned(),
            target: target.to_owned(),
            today: why.to_owned(),
            met: None,
            figures,
        }
    }
}

/// Rate per second.
pub fn a_second(count: usize, took: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count) / took.as_secs_f64()
}

/// Formats a number with three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => thousands(&format!("{value:.0}")),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size.to_bits() == 0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// Inserts a comma between groups of three digits.
fn thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(rounds: &[f64]) -> Figure {
        Figure::new("x", "ms", rounds.to_vec())
    }

    #[test]
    fn one_round_that_went_astray_does_not_move_the_median() {
        assert_eq!(
            figure(&[3.0, 1000.0, 2.0]).median().to_bits(),
            3.0_f64.to_bits()
        );
        assert_eq!(figure(&[1.0, 2.0]).median().to_bits(), 1.5_f64.to_bits());
        assert!(figure(&[]).median().is_nan());
    }

    #[test]
    fn a_ratio_is_held_against_its_target() {
        let found = Finding::times("rate", figure(&[200.0]), figure(&[2.0]), 100.0);
        assert_eq!((found.met, found.today.as_str()), (Some(true), "100 ×"));
        let found = Finding::share("p99", figure(&[3.0]), figure(&[20.0]), 0.1);
        assert_eq!((found.met, found.today.as_str()), (Some(false), "0.15 ×"));
        let found = Finding::at_most("memory", figure(&[31.0]), 32.0);
        assert_eq!((found.met, found.target.as_str()), (Some(true), "32.0 ms"));
    }

    #[test]
    fn a_target_is_met_by_the_worse_quartile() {
        let ours = figure(&[90.0, 100.0, 60.0, 110.0, 120.0]);
        let peer = figure(&[100.0, 100.0, 100.0, 100.0, 100.0]);
        let found = Finding::times("rate", ours.clone(), peer.clone(), 0.95);
        assert_eq!(
            (found.met, found.today.as_str()),
            (Some(false), "1.00 × (0.90–1.10)")
        );
        assert_eq!(
            Finding::times("rate", ours.clone(), peer.clone(), 0.9).met,
            Some(true)
        );
        assert_eq!(
            Finding::share("p99", ours.clone(), peer, 1.05).met,
            Some(false)
        );
        assert_eq!(Finding::at_most("p99", ours, 110.0).met, Some(true));
    }

    #[test]
    fn each_round_is_compared_with_its_own() {
        let found = Finding::times("rate", figure(&[10.0, 40.0]), figure(&[5.0, 20.0]), 2.0);
        assert_eq!((found.met, found.today.as_str()), (Some(true), "2.00 ×"));
    }

    #[test]
    fn nothing_measured_meets_no_target() {
        let found = Finding::times("rate", figure(&[]), figure(&[2.0]), 100.0);
        assert_eq!(found.met, Some(false));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown: Vec<_> = [1_234_567.8, 12345.6, 123.4, 12.34, 1.234, 0.01234, 0.0]
            .map(number)
            .into();
        assert_eq!(
            shown,
            [
                "1,234,568",
                "12,346",
                "123",
                "12.3",
                "1.23",
                "0.0123",
                "0.00"
            ]
        );
    }
}
