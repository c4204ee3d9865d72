//! Ends faults whose time is over, for faults that no part ends by itself. Runs in the supervisor.

use std::{convert::Infallible, time::Duration};

use tokio::time::{sleep, timeout};

use super::{FaultTarget, all, term::LOOK};
use crate::{lab::Lab, output};

/// Longest attempt at ending a fault.
const END_MAX: Duration = Duration::from_secs(5);

/// Ends faults that are over, with retries if that is not possible yet.
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
            // A hanging server answers nothing, and must not delay the end of the fault that stopped it.
            let ended = timeout(END_MAX, all::end(target, Some(kind), lab)).await;
            let error = match ended {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(output::chain(error.as_ref())),
                Err(_) => Some("no answer".to_owned()),
            };
            if let Some(error) = error {
                let error = format!("{name} cannot be ended yet: {error}");
                if error != last_error {
                    output::warn(&error);
                    last_error = error;
                }
            }
        }
        sleep(LOOK).await;
    }
}

fn parse(name: &str) -> Option<(FaultTarget, &str)> {
    let (target, kind) = name.split_once('-')?;
    let target = FaultTarget::ALL
        .into_iter()
        .find(|one| one.name() == target)?;
    Some((target, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_names_its_fault() {
        assert_eq!(
            parse("mysql-read-only"),
            Some((FaultTarget::Mysql, "read-only"))
        );
        assert_eq!(parse("zone-a"), Some((FaultTarget::Zone, "a")));
        assert_eq!(parse("moon-a"), None);
    }
}
