//! What all parts of a run share: the seed's random numbers, the trace, outages, and who is busy.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;

use crate::clock;
use crate::fault::{Counts, Defect, Fault};

#[derive(Debug)]
pub struct World {
    rng: Mutex<StdRng>,
    /// Probability of each fault in this run.
    rates: BTreeMap<Fault, f64>,
    counts: Mutex<Counts>,
    trace: Option<Mutex<Vec<String>>>,
    weather: Mutex<Weather>,
    calm: AtomicBool,
    busy: watch::Sender<usize>,
    pub defect: Option<Defect>,
}

/// Outages in progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub s3: Option<Fault>,
    pub database: Option<Fault>,
    pub lambda: Option<Fault>,
}

/// Marks somebody as busy until dropped.
#[derive(Debug)]
pub struct Busy(Arc<World>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|count| *count -= 1);
    }
}

impl World {
    pub fn new(seed: u64, defect: Option<Defect>, traced: bool) -> Arc<Self> {
        let mut rng = StdRng::seed_from_u64(seed);
        let rates = Fault::ALL
            .iter()
            .map(|fault| {
                let more = [0.0, 0.3, 1.0, 1.0, 3.0][rng.random_range(0..5)];
                (*fault, fault.rate() * more)
            })
            .collect();
        Arc::new(Self {
            rng: Mutex::new(rng),
            rates,
            counts: Mutex::default(),
            trace: traced.then(Mutex::default),
            weather: Mutex::default(),
            calm: AtomicBool::new(false),
            busy: watch::Sender::new(0),
            defect,
        })
    }

    /// A world in which nothing goes wrong.
    pub fn calm(seed: u64) -> Arc<Self> {
        let world = Self::new(seed, None, false);
        world.calm_down();
        world
    }

    pub fn chance(&self, likely: f64) -> bool {
        likely > 0.0 && lock(&self.rng).random_bool(likely.min(1.0))
    }

    /// Returns a number from 0 up to, but not including, `end`.
    pub fn below(&self, end: usize) -> usize {
        lock(&self.rng).random_range(0..end)
    }

    pub fn number(&self, range: RangeInclusive<i64>) -> i64 {
        lock(&self.rng).random_range(range)
    }

    pub fn ms(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(lock(&self.rng).random_range(range))
    }

    pub fn pick<'t, T>(&self, among: &'t [T]) -> &'t T {
        &among[self.below(among.len())]
    }

    /// Waits for a time that the seed chooses.
    pub async fn pass(&self, ms: RangeInclusive<u64>) {
        let time = self.ms(ms);
        tokio::time::sleep(time).await;
    }

    /// Whether the fault happens here; counts it if so.
    pub fn fault(&self, fault: Fault) -> bool {
        let rate = self.rates.get(&fault).copied().unwrap_or_default();
        let happens = !self.is_calm() && self.chance(rate);
        if happens {
            self.hit(fault);
        }
        happens
    }

    /// Counts a fault that happened.
    pub fn hit(&self, fault: Fault) {
        lock(&self.counts).hit(fault);
        self.trace(|| format!("fault {fault:?}"));
    }

    pub fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub fn weather(&self) -> Weather {
        *lock(&self.weather)
    }

    pub fn set_weather(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut lock(&self.weather));
    }

    /// Ends all faults: from now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        self.set_weather(|weather| *weather = Weather::default());
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub fn trace(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            lock(trace).push(format!("{:>9} {}", clock::ms(), line()));
        }
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.send_modify(|count| *count += 1);
        Busy(Arc::clone(self))
    }

    /// Returns once nobody is busy.
    pub async fn idle(&self) {
        // The sender lives as long as the world.
        let _ = self.busy.subscribe().wait_for(|count| *count == 0).await;
    }

    pub fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    pub fn take_trace(&self) -> Vec<String> {
        let trace = self.trace.as_ref();
        trace.map_or_else(Vec::new, |trace| std::mem::take(&mut *lock(trace)))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
