//! The faults that this host can inject. Refusals strike where places are given out, the others where a run is made.

use std::time::Duration;

use server_kit::fault::{Faults, Kind};

pub const THROTTLE: &str = "throttle";
pub const KILL: &str = "kill";
pub const TIMEOUT: &str = "timeout";
pub const ANSWER_LOST: &str = "answer-lost";
pub const DUPLICATE: &str = "duplicate";
pub const SLOW: &str = "slow";

pub const KINDS: [Kind; 6] = [
    Kind {
        name: THROTTLE,
        about: "no place is given: synchronous calls get 429, events wait",
        ms: None,
    },
    Kind {
        name: KILL,
        about: "the process is killed at a random moment, this late at most; a run that ends earlier is spared",
        ms: Some(200),
    },
    Kind {
        name: TIMEOUT,
        about: "the run times out after a random time, this long at most; the function is not told",
        ms: Some(100),
    },
    Kind {
        name: ANSWER_LOST,
        about: "the function did its work and the run counts as failed",
        ms: None,
    },
    Kind {
        name: DUPLICATE,
        about: "an event whose run succeeded is run once more",
        ms: None,
    },
    Kind {
        name: SLOW,
        about: "an event waits before it is handed to the function",
        ms: Some(1000),
    },
];

/// What goes wrong in one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mishap {
    pub killed_after: Option<Duration>,
    pub times_out_after: Option<Duration>,
}

impl Mishap {
    /// Of the next run.
    pub fn draw(faults: &Faults) -> Self {
        Self {
            killed_after: faults.strikes(KILL).map(up_to),
            times_out_after: faults.strikes(TIMEOUT).map(up_to),
        }
    }
}

fn up_to(most: Duration) -> Duration {
    rand::random_range(Duration::ZERO..=most)
}
