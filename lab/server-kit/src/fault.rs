//! Fault injection: the switches that the lab's servers share.
//!
//! A server declares the kinds of fault that it can inject, calls [`Faults::inject`] at the points where one would
//! show, and passes requests under [`PATH`] to [`Faults::answer`]. What a fault does is up to the server. This module
//! knows only whether it is on, how often it is injected, and how often it has been.
//!
//! A fault with a time or a count ends by itself, so it ends even if whoever switched it on has died.

mod api;
mod switch;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use api::PATH;
pub use switch::Setting;

use crate::secret::Secret;
use switch::Switch;

/// A kind of fault that a server can inject.
#[derive(Debug, Clone, Copy)]
pub struct FaultKind {
    pub name: &'static str,
    /// Description for people.
    pub about: &'static str,
    /// Default duration in milliseconds; `None` for a kind without a duration.
    pub ms: Option<u64>,
}

/// The faults of one server.
#[derive(Debug)]
pub struct Faults {
    /// Token that callers must show. Without one, the interface is disabled.
    token: Option<Secret>,
    /// Avoids taking the lock while no fault is on.
    any: AtomicBool,
    switches: Mutex<Vec<Switch>>,
}

impl Faults {
    /// Creates the faults of a server, all off. `token` is what callers of [`Faults::answer`] must show.
    pub fn new(kinds: &[FaultKind], token: Option<Secret>) -> Self {
        Self {
            token,
            any: AtomicBool::new(false),
            switches: Mutex::new(kinds.iter().copied().map(Switch::new).collect()),
        }
    }

    /// Whether to inject the fault now, and for how long if its kind has a duration. Counts it.
    pub fn inject(&self, name: &str) -> Option<Duration> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let switch = &mut *self.lock();
        let switch = switch.iter_mut().find(|switch| switch.kind.name == name)?;
        switch.inject(Instant::now())
    }

    /// Whether the fault is on. Does not count as an injection.
    pub fn is_on(&self, name: &str) -> bool {
        let now = Instant::now();
        let switches = self.lock();
        switches
            .iter()
            .any(|switch| switch.kind.name == name && switch.shown(now).setting.is_some())
    }

    /// Returns how often the fault was injected.
    pub fn injected(&self, name: &str) -> u64 {
        let switches = self.lock();
        let of = switches.iter().filter(|switch| switch.kind.name == name);
        of.map(Switch::injected).sum()
    }

    /// Switches a fault on; returns `false` if there is none of that name.
    pub fn set(&self, name: &str, setting: Setting) -> bool {
        let mut switches = self.lock();
        let Some(switch) = switches.iter_mut().find(|switch| switch.kind.name == name) else {
            return false;
        };
        switch.set(setting, Instant::now());
        self.any.store(true, Ordering::Relaxed);
        true
    }

    /// Switches off one fault, or all of them. The counts stay.
    pub fn clear(&self, name: Option<&str>) {
        for switch in self.lock().iter_mut() {
            if name.is_none_or(|name| name == switch.kind.name) {
                switch.clear();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Switch>> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [FaultKind; 2] = [
        FaultKind {
            name: "slow",
            about: "answers late",
            ms: Some(500),
        },
        FaultKind {
            name: "down",
            about: "does not answer",
            ms: None,
        },
    ];

    fn always() -> Setting {
        Setting::default()
    }

    #[test]
    fn a_fault_is_injected_while_it_is_on() {
        let faults = Faults::new(&KINDS, None);
        assert_eq!(faults.inject("slow"), None);
        assert!(faults.set("slow", always()));
        assert_eq!(faults.inject("slow"), Some(Duration::from_millis(500)));
        assert_eq!(faults.inject("down"), None);
        faults.clear(Some("down"));
        assert!(faults.inject("slow").is_some());
        faults.clear(None);
        assert_eq!(faults.inject("slow"), None);
        assert!(!faults.set("unknown", always()));
    }

    #[test]
    fn a_fault_ends_after_its_number_and_after_its_time() {
        let faults = Faults::new(&KINDS, None);
        let twice = Setting {
            count: Some(2),
            ..always()
        };
        faults.set("down", twice);
        let injected = (0..5).filter(|_| faults.inject("down").is_some()).count();
        assert_eq!(injected, 2);
        let over = Setting {
            for_ms: Some(0),
            ..always()
        };
        faults.set("down", over);
        assert_eq!(faults.inject("down"), None);
    }

    #[test]
    fn a_rate_of_zero_never_injects() {
        let faults = Faults::new(&KINDS, None);
        let never = Setting {
            rate: 0.0,
            ..always()
        };
        faults.set("down", never);
        assert!((0..100).all(|_| faults.inject("down").is_none()));
    }
}
