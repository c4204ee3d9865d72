//! `cargo lab status`: shows the parts and their state.

use std::process::ExitCode;

use anyhow::Result;
use lab_runner::{
    output,
    state::status::{PartStatus, Phase, Status},
};

use super::Context;
use crate::cli;

pub(super) fn run(args: &cli::Status, context: &Context) -> Result<ExitCode> {
    let status = Status::load(&context.dir)?;
    if args.json {
        output::say(json(status.as_ref()));
    } else {
        show(status.as_ref(), &context.cargo_lab);
    }
    if status.is_some_and(|status| status.all_healthy()) {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn json(status: Option<&Status>) -> String {
    let parts = status.map_or(&[][..], |status| &status.parts);
    // Plain data: the fallback is never reached.
    serde_json::to_string_pretty(parts).unwrap_or_else(|_| "[]".to_owned())
}

/// Prints a table for people.
pub(super) fn show(status: Option<&Status>, cargo_lab: &str) {
    let parts = status.map_or(&[][..], |status| &status.parts);
    for part in parts {
        output::say(row(part));
    }
    let orphans = parts.iter().any(|part| part.pid.is_some());
    match status.map(|status| status.phase) {
        None => output::say(format_args!("nothing runs; start with {cargo_lab} up")),
        Some(Phase::Stopped) if orphans => output::say(format_args!(
            "the supervisor is gone; stop the rest with {cargo_lab} down"
        )),
        Some(Phase::Stopped) => {
            output::say(format_args!(
                "nothing is running; start again with {cargo_lab} up"
            ));
        }
        Some(Phase::Starting) => output::say("starting"),
        Some(Phase::Stopping) => output::say("stopping"),
        Some(Phase::Running) => {}
    }
}

fn row(part: &PartStatus) -> String {
    let pid = part.pid.map_or("-".to_owned(), |pid| pid.to_string());
    let deaths = match part.deaths {
        0 => String::new(),
        1 => "died once".to_owned(),
        deaths => format!("died {deaths} times"),
    };
    let note = part.detail.clone().unwrap_or(deaths);
    let row = format!(
        "{:<7} {:<10} {:<16} {:>8}  {:<18} {note}",
        part.part.as_str(),
        part.state.as_str(),
        part.addr,
        pid,
        part.about
    );
    row.trim_end().to_owned()
}
