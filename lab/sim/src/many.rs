//! Runs many seeds, one per thread at a time.

use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::fault::{Counts, Defect};
use crate::run::{Options, Report, run};
use crate::world::lock;

/// Result of all seeds that were run.
#[derive(Debug, Default)]
pub struct Summary {
    pub runs: u64,
    pub acknowledged: u64,
    pub rows: u64,
    pub conflict_rows: u64,
    pub second_yes: u64,
    /// Acts of saboteurs.
    pub acts: u64,
    pub faults: Counts,
    /// The first seed found to break a promise. No further seeds are started after it.
    pub broken: Option<Report>,
}

pub fn run_all(seeds: Range<u64>, defect: Option<Defect>) -> io::Result<Summary> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicU64::new(seeds.start);
    let summary = Mutex::new(Summary::default());
    thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return Ok(());
                }
                let report = run(Options {
                    seed,
                    defect,
                    traced: false,
                })?;
                if !report.holds() {
                    next.store(seeds.end, Ordering::Relaxed);
                }
                lock(&summary).add(report);
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
    .map(|()| std::mem::take(&mut *lock(&summary)))
}

impl Summary {
    fn add(&mut self, report: Report) {
        self.runs += 1;
        self.acknowledged += report.verdict.acknowledged;
        self.rows += report.verdict.rows;
        self.conflict_rows += report.verdict.conflict_rows;
        self.second_yes += report.verdict.second_yes;
        self.acts += report.proof.acts;
        self.faults.add(&report.faults);
        if !report.holds() && self.broken.as_ref().is_none_or(|b| report.seed < b.seed) {
            self.broken = Some(report);
        }
    }
}
