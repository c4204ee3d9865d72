//! `cargo lab fault`: lists faults and switches them.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use lab_runner::{
    fault::{
        FaultTarget,
        all::{self, FaultState, Listed},
        term,
    },
    lab::{Absent, Lab},
    output,
};
use server_kit::fault::Setting;

use super::Context;
use crate::cli;

pub(super) async fn run(args: &cli::Fault, context: &Context) -> Result<ExitCode> {
    let lab = context.lab()?;
    match (args.part, &args.kind) {
        (None, _) if args.off => {
            all::end_all(&lab).await?;
            output::say("all faults are off");
        }
        (Some(part), kind) if args.off => all::end(part, kind.as_deref(), &lab).await?,
        (Some(part), Some(kind)) => set(&lab, part, kind, args).await?,
        (part, None) => list(&lab, part).await?,
        (None, Some(_)) => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(lab: &Lab, target: FaultTarget, kind: &str, args: &cli::Fault) -> Result<()> {
    let length = args.seconds.map(Duration::from_secs_f64);
    let setting = Setting {
        rate: args.rate,
        ms: args.ms,
        count: args.count,
        for_ms: length.and_then(|length| u64::try_from(length.as_millis()).ok()),
    };
    all::begin(target, kind, &setting, lab).await?;
    output::say(format_args!("{}: {kind} is on", target.name()));
    // A part's own fault ends by itself. The supervisor ends the others, even if nobody waits here.
    if let (None, Some(length)) = (target.switches(lab)?, length) {
        if !term::ended(target, kind, lab, length).await {
            output::warn(format_args!(
                "{}: {kind} did not end; see the supervisor's log, or use --off",
                target.name()
            ));
            return Ok(());
        }
        output::say(format_args!("{}: {kind} is off again", target.name()));
    }
    Ok(())
}

async fn list(lab: &Lab, only: Option<FaultTarget>) -> Result<()> {
    for target in FaultTarget::ALL {
        if only.is_some_and(|only| only != target) {
            continue;
        }
        match all::list(target, lab).await {
            Ok(faults) => faults
                .iter()
                .for_each(|fault| output::say(row(fault).trim_end())),
            Err(reason) if only.is_none() && reason.is::<Absent>() => {
                output::say(format_args!("{:<7} {reason}", target.name()));
            }
            Err(reason) => return Err(reason),
        }
    }
    Ok(())
}

fn row(fault: &Listed) -> String {
    let state = match fault.state {
        FaultState::On(rate) => format!("on ({:.0} %)", rate * 100.0),
        FaultState::Off => "off".to_owned(),
        FaultState::Unknown => String::new(),
    };
    let injected = fault.injected.map_or(String::new(), |n| n.to_string());
    format!(
        "{:<7} {:<21} {state:<10} {injected:>7}  {}",
        fault.target.name(),
        fault.kind,
        fault.about
    )
}
