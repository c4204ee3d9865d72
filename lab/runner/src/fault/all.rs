//! The faults of a whole lab, independent of the part.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_model::network::Zone;
use clap::ValueEnum as _;
use server_kit::fault::Setting;

use super::{FaultTarget, database::DatabaseFault, term};
use crate::{
    lab::{Absent, Lab},
    state::hold::Hold,
};

/// A kind of fault, and its current state.
#[derive(Clone, Debug)]
pub struct Listed {
    pub target: FaultTarget,
    pub kind: String,
    pub about: String,
    pub state: FaultState,
    /// Number of injections since the part started, if counted.
    pub injected: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultState {
    Off,
    /// Injected with this probability.
    On(f64),
    /// Unknown: a running database does not show what was done to it without a time limit.
    Unknown,
}

/// Lists the kinds of fault of one target.
pub async fn list(target: FaultTarget, lab: &Lab) -> Result<Vec<Listed>> {
    if let Some(switches) = target.switches(lab)? {
        let faults = switches.list().await?.into_iter();
        return Ok(faults
            .map(|fault| Listed {
                target,
                kind: fault.kind,
                about: fault.about,
                state: fault
                    .setting
                    .map_or(FaultState::Off, |setting| FaultState::On(setting.rate)),
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
    if target == FaultTarget::Zone {
        let vpc = lab.required_vpc()?;
        let zones = vpc.network.zones().into_iter();
        return zones
            .map(|zone| {
                let state = if vpc.is_cut(zone)? {
                    FaultState::On(1.0)
                } else {
                    FaultState::Off
                };
                let about = "no packet enters or leaves its hosts";
                Ok(listed(zone.to_string(), about, state))
            })
            .collect();
    }
    let of_database = |fault: DatabaseFault| {
        let state = match fault.is_on(lab) {
            Some(true) => FaultState::On(1.0),
            Some(false) => FaultState::Off,
            None if Outside::Database(fault).term(lab).is_on() => FaultState::On(1.0),
            None => FaultState::Unknown,
        };
        listed(fault.name().to_owned(), fault.about(), state)
    };
    Ok(DatabaseFault::ALL.map(of_database).to_vec())
}

/// Switches a fault on. With a length it ends by itself, even if the caller is gone by then. An unknown kind is refused
/// with a list of the known ones.
pub async fn begin(target: FaultTarget, kind: &str, setting: &Setting, lab: &Lab) -> Result<()> {
    if let Some(switches) = target.switches(lab)? {
        switches.set(kind, setting).await?;
        return Ok(());
    }
    let outside = outside(target, Some(kind), lab)?;
    let length = setting.for_ms.map(Duration::from_millis);
    for fault in outside {
        let term = fault.term(lab);
        match length {
            // Set before the fault starts, so that it ends even if the caller dies in between.
            Some(length) => term.set(Some(length))?,
            None => term.lift()?,
        }
        if let Err(error) = fault.begin(lab, length).await {
            term.lift()?;
            return Err(error);
        }
    }
    Ok(())
}

/// Switches off a kind of fault, or all of the target.
pub async fn end(target: FaultTarget, kind: Option<&str>, lab: &Lab) -> Result<()> {
    if let Some(switches) = target.switches(lab)? {
        switches.clear(kind).await?;
    } else {
        for fault in outside(target, kind, lab)? {
            fault.end(lab).await?;
            fault.term(lab).lift()?;
        }
    }
    Ok(())
}

/// Switches everything off.
pub async fn end_all(lab: &Lab) -> Result<()> {
    for target in FaultTarget::ALL {
        match end(target, None, lab).await {
            Err(error) if error.is::<Absent>() => {}
            ended => ended?,
        }
    }
    Ok(())
}

/// A fault that is injected from outside.
#[derive(Clone, Copy)]
enum Outside {
    Database(DatabaseFault),
    Zone(Zone),
}

impl Outside {
    async fn begin(self, lab: &Lab, length: Option<Duration>) -> Result<()> {
        match self {
            Self::Database(fault) => fault.begin(lab, length).await,
            Self::Zone(zone) => Ok(lab.required_vpc()?.cut(zone)?),
        }
    }

    async fn end(self, lab: &Lab) -> Result<()> {
        match self {
            Self::Database(fault) => fault.end(lab).await,
            Self::Zone(zone) => Ok(lab.required_vpc()?.heal(zone)?),
        }
    }

    fn term(self, lab: &Lab) -> Hold {
        match self {
            Self::Database(fault) => term::of(FaultTarget::Mysql, fault.name(), lab),
            Self::Zone(zone) => term::of(FaultTarget::Zone, &zone.to_string(), lab),
        }
    }
}

/// Returns the fault with that name, or all of the target.
fn outside(target: FaultTarget, kind: Option<&str>, lab: &Lab) -> Result<Vec<Outside>> {
    if target != FaultTarget::Zone {
        let faults = of_database(kind)?.into_iter();
        return Ok(faults.map(Outside::Database).collect());
    }
    let vpc = lab.required_vpc()?;
    let zones = match kind {
        Some(name) => vec![vpc.zone(name)?],
        None => vpc.network.zones(),
    };
    Ok(zones.into_iter().map(Outside::Zone).collect())
}

/// Returns the database's fault with that name, or all of them.
fn of_database(kind: Option<&str>) -> Result<Vec<DatabaseFault>> {
    let Some(kind) = kind else {
        return Ok(DatabaseFault::ALL.to_vec());
    };
    match DatabaseFault::from_str(kind, false) {
        Ok(fault) => Ok(vec![fault]),
        Err(_) => bail!(
            "{} has no fault {kind}; known faults: {}",
            FaultTarget::Mysql.name(),
            DatabaseFault::ALL.map(DatabaseFault::name).join(", ")
        ),
    }
}
