//! One fault: whether it is on, how often it is injected, and how often it has been.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::FaultKind;

/// How a fault is injected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Probability, from 0 to 1, with which it is injected.
    #[serde(default = "always")]
    pub rate: f64,
    /// Duration in milliseconds, if its kind has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Number of injections after which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Time after which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            rate: always(),
            ms: None,
            count: None,
            for_ms: None,
        }
    }
}

fn always() -> f64 {
    1.0
}

#[derive(Debug)]
pub struct Switch {
    pub kind: FaultKind,
    on: Option<On>,
    injected: u64,
}

#[derive(Debug)]
struct On {
    setting: Setting,
    until: Option<Instant>,
}

/// A fault as the interface shows it.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    pub kind: &'a str,
    pub about: &'a str,
    /// `null` if it is off.
    pub setting: Option<&'a Setting>,
    /// Number of injections since the server started.
    pub injected: u64,
}

impl Switch {
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            on: None,
            injected: 0,
        }
    }

    pub fn set(&mut self, setting: Setting, now: Instant) {
        let until = setting
            .for_ms
            .and_then(|ms| now.checked_add(Duration::from_millis(ms)));
        self.on = Some(On { setting, until });
    }

    pub fn clear(&mut self) {
        self.on = None;
    }

    pub fn inject(&mut self, now: Instant) -> Option<Duration> {
        let on = self.on.as_mut()?;
        if on.until.is_some_and(|until| until <= now) || on.setting.count == Some(0) {
            self.on = None;
            return None;
        }
        if !rand::random_bool(on.setting.rate.clamp(0.0, 1.0)) {
            return None;
        }
        if let Some(count) = &mut on.setting.count {
            *count -= 1;
        }
        self.injected += 1;
        let ms = on.setting.ms.or(self.kind.ms).unwrap_or_default();
        Some(Duration::from_millis(ms))
    }

    pub fn injected(&self) -> u64 {
        self.injected
    }

    pub fn shown(&self, now: Instant) -> Shown<'_> {
        let lasts = |on: &&On| on.until.is_none_or(|until| until > now);
        Shown {
            kind: self.kind.name,
            about: self.kind.about,
            setting: self.on.as_ref().filter(lasts).map(|on| &on.setting),
            injected: self.injected,
        }
    }
}
