//! `cargo lab fault`: what can go wrong, and making it so.

use std::{process::ExitCode, time::Duration};

use clap::ValueEnum as _;
use lab_kit::fault::Setting;
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
            Err(Error::Fault(fault::Error::NoRelay | fault::Error::NoServer)) => {}
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
        None => {
            for fault in chosen(kind)? {
                fault.end(lab).await?;
            }
        }
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
        output::say(format_args!("{}: {kind} is on", target.part()));
        return Ok(());
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
            part: Target::Mysql.part(),
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
        let part = target.part();
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
