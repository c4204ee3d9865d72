//! The time limit of a fault that is injected from outside, and that no part ends by itself.
//!
//! It is saved before the fault starts, and enforced by the supervisor ([`super::expiry`]), so whoever started the
//! fault may die.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::FaultTarget;
use crate::{lab::Lab, state::hold::Hold};

/// Interval between checks for faults that are over.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// How late a fault may be ended: its server may be starting.
const DELAY_MAX: Duration = Duration::from_mins(1);

/// Returns the hold file of a fault, which is named after its target and kind.
pub(super) fn of(target: FaultTarget, kind: &str, lab: &Lab) -> Hold {
    lab.dir.term(&format!("{}-{kind}", target.name()))
}

/// Waits until the supervisor has ended the fault; returns whether it did.
pub async fn ended(target: FaultTarget, kind: &str, lab: &Lab, length: Duration) -> bool {
    let waited = async {
        while of(target, kind, lab).is_set() {
            sleep(LOOK).await;
        }
    };
    timeout(length + DELAY_MAX, waited).await.is_ok()
}
