//! What a person reads: the progress, and the result.

use std::{fmt, time::Duration};

use lab_runner::output;
use tokio::time::{Instant, MissedTickBehavior, interval};
use verdict::Verdict;

use super::{
    history::History,
    nemesis::{Injected, Nemesis},
};

const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Report {
    pub verdict: Verdict,
    /// Whether every part is healthy again.
    pub is_well: bool,
    /// Whether no fault of the plan may make a payment fail.
    pub spares_payments: bool,
    pub injected: Injected,
    /// Time from the last fault until every rule held and every part was healthy.
    pub recovered_after: Duration,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.verdict.holds() && self.is_well && !self.fails_payments()
    }

    /// P5: a payment was answered with 5xx, although no fault affected what payments wait for.
    fn fails_payments(&self) -> bool {
        self.spares_payments && self.verdict.failed > 0
    }
}

/// Prints a line now and then until the time is over.
pub(super) async fn follow(length: Duration, history: &History, nemesis: &Nemesis) {
    let begun = Instant::now();
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    while begun.elapsed() + TELL_EVERY <= length {
        ticks.tick().await;
        tell(begun.elapsed(), history, nemesis);
    }
    tokio::time::sleep_until(begun + length).await;
}

fn tell(elapsed: Duration, history: &History, nemesis: &Nemesis) {
    let counts = history.counts();
    let (on, injections) = nemesis.now();
    let (minutes, seconds) = (elapsed.as_secs() / 60, elapsed.as_secs() % 60);
    output::say(format_args!(
        "{minutes:02}:{seconds:02} {:>8} requests {:>8} accepted {:>6} open {injections:>7} faults   {}",
        counts.attempts,
        counts.accepted,
        counts.open,
        on.join(" ")
    ));
}

pub(super) fn waiting(verdict: &Verdict) {
    output::say(format_args!(
        "      {:>8} rows, {} to come",
        verdict.rows,
        verdict.broken.len()
    ));
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24}{:>9}{:>9}", "fault", "times", "injected")?;
        for (kind, counts) in &self.injected {
            let (times, injections) = (counts.episodes, counts.injections);
            writeln!(f, "{kind:<24}{times:>9}{injections:>9}")?;
        }
        let all: u64 = self.injected.values().map(|counts| counts.injections).sum();
        let kinds = self
            .injected
            .values()
            .filter(|counts| counts.injections > 0)
            .count();
        writeln!(f, "{kinds} kinds of fault were injected {all} times\n")?;
        write!(f, "{}", self.verdict)?;
        let recovered = self.recovered_after.as_secs_f64();
        writeln!(
            f,
            "{:<38}{recovered:>8.1} s",
            "all healthy after the last fault"
        )?;
        if !self.is_well {
            writeln!(f, "some parts are not healthy")?;
        }
        if self.fails_payments() {
            writeln!(
                f,
                "payments were answered with 5xx, and no fault of this run excuses that"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_a_5xx_breaks_a_run_whose_faults_spare_payments() {
        let report = |spares_payments, failed| Report {
            verdict: Verdict {
                failed,
                ..Verdict::default()
            },
            is_well: true,
            spares_payments,
            injected: Injected::default(),
            recovered_after: Duration::ZERO,
        };
        assert!(report(true, 0).holds());
        assert!(report(false, 1).holds());
        assert!(!report(true, 1).holds());
        assert!(report(true, 1).to_string().contains("answered with 5xx"));
    }
}
