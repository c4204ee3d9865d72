//! The end of a fault that is done from outside, and that no part ends by itself.
//!
//! It is written down before the fault begins, and the supervisor sees to it: whoever began the fault may die.

use std::{convert::Infallible, time::Duration};

use tokio::time::{sleep, timeout};

use super::{Target, all};
use crate::{lab::Lab, output, state::hold::Hold};

/// Between looks at which faults are over.
const LOOK: Duration = Duration::from_millis(100);

/// Longest time of one try to end a fault.
const END_MAX: Duration = Duration::from_secs(5);

/// How much later than its end a fault may be ended: its server may be starting.
const DELAY_MAX: Duration = Duration::from_mins(1);

/// A kind of fault, by the name that its target gives it.
pub(super) fn of(target: Target, kind: &str, lab: &Lab) -> Hold {
    lab.dir.term(&format!("{}-{kind}", target.name()))
}

/// The supervisor's part: ends what is over, again and again where it can't be ended yet.
pub async fn keep(lab: &Lab) -> Infallible {
    let mut last_error = String::new();
    loop {
        for name in lab.dir.terms() {
            let Some((target, kind)) = parse(&name) else {
                continue;
            };
            let term = lab.dir.term(&name);
            if term.is_on() {
                continue;
            }
            // A server that stands still answers nothing, and must not keep the fault that stopped it.
            let ended = timeout(END_MAX, all::end(target, Some(kind), lab)).await;
            let error = match ended {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(output::chain(&error)),
                Err(_) => Some("no answer".to_owned()),
            };
            if let Some(error) = error {
                let error = format!("{name} can't be ended yet: {error}");
                if error != last_error {
                    output::warn(&error);
                    last_error = error;
                }
            }
        }
        sleep(LOOK).await;
    }
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

fn parse(name: &str) -> Option<(Target, &str)> {
    let (target, kind) = name.split_once('-')?;
    let target = Target::ALL.into_iter().find(|one| one.name() == target)?;
    Some((target, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_names_its_fault() {
        assert_eq!(parse("mysql-read-only"), Some((Target::Mysql, "read-only")));
        assert_eq!(parse("zone-a"), Some((Target::Zone, "a")));
        assert_eq!(parse("moon-a"), None);
    }
}
