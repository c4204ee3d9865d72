//! The end of a fault that is done from outside, and that no part ends by itself.
//!
//! It is written down before the fault begins, and the supervisor sees to it ([`super::expiry`]): whoever began the fault may die.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Target;
use crate::{lab::Lab, state::hold::Hold};

/// Between looks at which faults are over.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// How much later than its end a fault may be ended: its server may be starting.
const DELAY_MAX: Duration = Duration::from_mins(1);

/// A kind of fault, by the name that its target gives it.
pub(super) fn of(target: Target, kind: &str, lab: &Lab) -> Hold {
    lab.dir.term(&format!("{}-{kind}", target.name()))
}

/// Waits until the supervisor has ended the fault; whether it did.
pub async fn ended(target: Target, kind: &str, lab: &Lab, length: Duration) -> bool {
    let waited = async {
        while of(target, kind, lab).is_set() {
            sleep(LOOK).await;
        }
    };
    timeout(length + DELAY_MAX, waited).await.is_ok()
}
