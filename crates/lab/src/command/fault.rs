//! `cargo lab fault`: what can go wrong, and making it so.

use std::{process::ExitCode, time::Duration};

use clap::ValueEnum as _;
use lab_kit::fault::Setting;
use network::Zone;
use tokio::time::sleep;

use super::{Context, Error};
use crate::{
    cli,
    fault::{self, Target, database::DatabaseFault},
    lab::Lab,
    output,
};

pub(super) async fn run(args: &cli::Fault, context: &Context) -> Result<ExitCode, Error> {
    let lab = context.lab()?;
    match (args.part, &args.kind) {
        (None, _) if args.off => {
            clear_all(&lab).await?;
            output::say("all faults are off");
        }
        (Some(part), kind) if args.off => clear(&lab, part, kind.as_deref()).await?,
        (Some(part), Some(kind)) => set(&lab, part, kind, args).await?,
        (part, None) => list(&lab, part).await?,
        (None, Some(_)) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends every fault of the lab.
pub(super) async fn clear_all(lab: &Lab) -> Result<(), Error> {
    for target in Target::ALL {
        match clear(lab, target, None).await {
            Err(Error::Fault(error)) if error.is_absence() => {}
            cleared => cleared?,
        }
    }
    Ok(())
}

async fn clear(lab: &Lab, target: Target, kind: Option<&str>) -> Result<(), Error> {
    match target.switches(lab)? {
        Some(switches) => {
            switches.clear(kind).await?;
        }
        None if target == Target::Zone => {
            for zone in zones(lab, kind)? {
                lab.required_vpc()?.heal(zone)?;
            }
        }
        None => {
            for fault in chosen(kind)? {
                fault.end(lab).await?;
            }
        }
    }
    Ok(())
}

/// The zone of that name, or all of them.
fn zones(lab: &Lab, name: Option<&str>) -> Result<Vec<Zone>, Error> {
    let vpc = lab.required_vpc()?;
    Ok(match name {
        Some(name) => vec![vpc.zone(name)?],
        None => vpc.network.zones(),
    })
}

async fn cut(lab: &Lab, zone: &str, length: Option<Duration>) -> Result<(), Error> {
    let vpc = lab.required_vpc()?;
    let zone = vpc.zone(zone)?;
    vpc.cut(zone)?;
    output::say(format_args!("zone: {zone} is cut off"));
    if let Some(length) = length {
        sleep(length).await;
        vpc.heal(zone)?;
        output::say(format_args!("zone: {zone} is back"));
    }
    Ok(())
}

async fn set(lab: &Lab, target: Target, kind: &str, args: &cli::Fault) -> Result<(), Error> {
    let length = args.seconds.map(Duration::from_secs_f64);
    if let Some(switches) = target.switches(lab)? {
        let setting = Setting {
            rate: args.rate,
            ms: args.ms,
            count: args.count,
            for_ms: length.and_then(|length| u64::try_from(length.as_millis()).ok()),
        };
        switches.set(kind, &setting).await?;
        output::say(format_args!("{}: {kind} is on", target.name()));
        return Ok(());
    }
    if target == Target::Zone {
        return cut(lab, kind, length).await;
    }
    for fault in chosen(Some(kind))? {
        fault.begin(lab, length).await?;
        output::say(format_args!("mysql: {kind} is on"));
        if let Some(length) = length {
            sleep(length).await;
            fault.end(lab).await?;
            output::say(format_args!("mysql: {kind} is off again"));
        }
    }
    Ok(())
}

/// The database's faults of that name, or all of them.
fn chosen(kind: Option<&str>) -> Result<Vec<DatabaseFault>, Error> {
    let Some(kind) = kind else {
        return Ok(DatabaseFault::ALL.to_vec());
    };
    match DatabaseFault::from_str(kind, false) {
        Ok(fault) => Ok(vec![fault]),
        Err(_) => Err(fault::Error::Unknown {
            part: Target::Mysql.name(),
            kind: kind.to_owned(),
            known: DatabaseFault::ALL.map(DatabaseFault::name).join(", "),
        }
        .into()),
    }
}

async fn list(lab: &Lab, only: Option<Target>) -> Result<(), Error> {
    for target in Target::ALL {
        if only.is_some_and(|only| only != target) {
            continue;
        }
        let part = target.name();
        match target.switches(lab) {
            Ok(Some(switches)) => {
                for fault in switches.list().await? {
                    let state = match fault.setting {
                        Some(setting) => format!("on ({:.0} %)", setting.rate * 100.0),
                        None => "off".to_owned(),
                    };
                    output::say(format_args!(
                        "{part:<7} {:<21} {state:<10} {:>7}  {}",
                        fault.kind, fault.injected, fault.about
                    ));
                }
            }
            Ok(None) if target == Target::Zone => {
                let vpc = lab.required_vpc()?;
                for zone in vpc.network.zones() {
                    let state = if vpc.is_cut(zone)? { "on" } else { "off" };
                    output::say(format_args!(
                        "{part:<7} {zone:<21} {state:<10} {:>7}  no packet reaches its hosts or leaves them",
                        ""
                    ));
                }
            }
            Ok(None) => {
                for fault in DatabaseFault::ALL {
                    output::say(format_args!(
                        "{part:<7} {:<21} {:<10} {:>7}  {}",
                        fault.name(),
                        "",
                        "",
                        fault.about()
                    ));
                }
            }
            Err(reason) if only.is_none() => {
                output::say(format_args!("{part:<7} {reason}"));
            }
            Err(reason) => return Err(reason.into()),
        }
    }
    Ok(())
}
