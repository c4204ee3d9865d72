//! Faults that this host can inject: refusals when a concurrency slot is reserved, the others during an invocation.

use std::time::Duration;

use server_kit::fault::{FaultKind, Faults};

pub const THROTTLE: &str = "throttle";
pub const KILL: &str = "kill";
pub const TIMEOUT: &str = "timeout";
pub const ANSWER_LOST: &str = "answer-lost";
pub const DUPLICATE: &str = "duplicate";
pub const SLOW: &str = "slow";

pub const KINDS: [FaultKind; 6] = [
    FaultKind {
        name: THROTTLE,
        about: "no concurrency slot is granted: synchronous calls get 429, events wait",
        ms: None,
    },
    FaultKind {
        name: KILL,
        about: "kills the process at a random moment within this time; an invocation that ends earlier is spared",
        ms: Some(200),
    },
    FaultKind {
        name: TIMEOUT,
        about: "times the invocation out at a random moment within this time, without telling the function",
        ms: Some(100),
    },
    FaultKind {
        name: ANSWER_LOST,
        about: "lets the function do its work, then counts the invocation as failed",
        ms: None,
    },
    FaultKind {
        name: DUPLICATE,
        about: "delivers an event again after it succeeded",
        ms: None,
    },
    FaultKind {
        name: SLOW,
        about: "delays an event before it is handed to the function",
        ms: Some(1000),
    },
];

/// Faults injected into one invocation.
#[derive(Debug, Clone, Copy, Default)]
pub struct InjectedFault {
    pub killed_after: Option<Duration>,
    pub times_out_after: Option<Duration>,
}

impl InjectedFault {
    /// Draws the faults of the next invocation.
    pub fn draw(faults: &Faults) -> Self {
        Self {
            killed_after: faults.inject(KILL).map(up_to),
            times_out_after: faults.inject(TIMEOUT).map(up_to),
        }
    }
}

fn up_to(most: Duration) -> Duration {
    rand::random_range(Duration::ZERO..=most)
}
