//! The faults of a whole lab, alike wherever they are done.

use std::time::Duration;

use clap::ValueEnum as _;
use lab_kit::fault::Setting;
use network::Zone;

use super::{Error, Target, database::DatabaseFault};
use crate::lab::Lab;

/// A kind of fault, and how it is now.
#[derive(Clone, Debug)]
pub struct Listed {
    pub target: Target,
    pub kind: String,
    pub about: String,
    pub state: State,
    /// How often it struck since its part was started, where that is counted.
    pub injected: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Off,
    /// Strikes on this share of the occasions.
    On(f64),
    /// The database does not tell what was done to it, while it runs.
    Untold,
}

/// Who ends a fault that was given a length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begun {
    /// It ends by itself.
    EndsItself,
    /// [`end`] ends it.
    UntilEnded,
}

/// The kinds of one target.
pub async fn list(target: Target, lab: &Lab) -> Result<Vec<Listed>, Error> {
    if let Some(switches) = target.switches(lab)? {
        let faults = switches.list().await?.into_iter();
        return Ok(faults
            .map(|fault| Listed {
                target,
                kind: fault.kind,
                about: fault.about,
                state: fault
                    .setting
                    .map_or(State::Off, |setting| State::On(setting.rate)),
                injected: Some(fault.injected),
            })
            .collect());
    }
    let listed = |kind: String, about: &str, state| Listed {
        target,
        kind,
        about: about.to_owned(),
        state,
        injected: None,
    };
    if target == Target::Zone {
        let vpc = lab.required_vpc()?;
        let zones = vpc.network.zones().into_iter();
        return zones
            .map(|zone| {
                let state = if vpc.is_cut(zone)? {
                    State::On(1.0)
                } else {
                    State::Off
                };
                let about = "no packet reaches its hosts or leaves them";
                Ok(listed(zone.to_string(), about, state))
            })
            .collect();
    }
    let of_database = |fault: DatabaseFault| {
        let state = match fault.is_on(lab) {
            Some(true) => State::On(1.0),
            Some(false) => State::Off,
            None => State::Untold,
        };
        listed(fault.name().to_owned(), fault.about(), state)
    };
    Ok(DatabaseFault::ALL.map(of_database).to_vec())
}

/// Switches a fault on. One without a kind of that name is refused with those that there are.
pub async fn begin(
    target: Target,
    kind: &str,
    setting: &Setting,
    lab: &Lab,
) -> Result<Begun, Error> {
    if let Some(switches) = target.switches(lab)? {
        switches.set(kind, setting).await?;
        return Ok(Begun::EndsItself);
    }
    if target == Target::Zone {
        let vpc = lab.required_vpc()?;
        vpc.cut(vpc.zone(kind)?)?;
    } else {
        let length = setting.for_ms.map(Duration::from_millis);
        for fault in of_database(Some(kind))? {
            fault.begin(lab, length).await?;
        }
    }
    Ok(Begun::UntilEnded)
}

/// Switches a kind of fault off, or all of the target.
pub async fn end(target: Target, kind: Option<&str>, lab: &Lab) -> Result<(), Error> {
    if let Some(switches) = target.switches(lab)? {
        switches.clear(kind).await?;
    } else if target == Target::Zone {
        for zone in zones(kind, lab)? {
            lab.required_vpc()?.heal(zone)?;
        }
    } else {
        for fault in of_database(kind)? {
            fault.end(lab).await?;
        }
    }
    Ok(())
}

/// Switches everything off.
pub async fn end_all(lab: &Lab) -> Result<(), Error> {
    for target in Target::ALL {
        match end(target, None, lab).await {
            Err(error) if error.is_absence() => {}
            ended => ended?,
        }
    }
    Ok(())
}

/// The zone of that name, or all of them.
fn zones(name: Option<&str>, lab: &Lab) -> Result<Vec<Zone>, Error> {
    let vpc = lab.required_vpc()?;
    Ok(match name {
        Some(name) => vec![vpc.zone(name)?],
        None => vpc.network.zones(),
    })
}

/// The database's faults of that name, or all of them.
fn of_database(kind: Option<&str>) -> Result<Vec<DatabaseFault>, Error> {
    let Some(kind) = kind else {
        return Ok(DatabaseFault::ALL.to_vec());
    };
    match DatabaseFault::from_str(kind, false) {
        Ok(fault) => Ok(vec![fault]),
        Err(_) => Err(Error::Unknown {
            part: Target::Mysql.name(),
            kind: kind.to_owned(),
            known: DatabaseFault::ALL.map(DatabaseFault::name).join(", "),
        }),
    }
}
