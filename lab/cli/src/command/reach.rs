//! `cargo lab reach`: which host reaches which, compared with what should be.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use aws_model::network::{Network, Table};
use lab_runner::{
    lab::Lab,
    output,
    reach::{self, Report},
    vpc::{self, Vpc, user},
};

use super::Context;
use crate::cli;

pub(super) async fn run(args: &cli::Reach, context: &Context) -> Result<ExitCode> {
    if args.picture {
        let picture = network(args, context)?.picture().to_string();
        output::say(picture.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if args.rules {
        let network = network(args, context)?;
        return Ok(by_rules(&network));
    }
    if let Some([from, to]) = args.explain.as_deref() {
        return explain(from, to, args, context).await;
    }
    let lab = context.lab()?;
    if let Some(code) = again(lab.required_vpc()?, context)? {
        return Ok(code);
    }
    let report = reach::try_all(lab.required_vpc()?, &lab).await?;
    Ok(show(&report))
}

/// Runs this command again inside the namespaces, if the lab is not root's.
fn again(vpc: &Vpc, context: &Context) -> Result<Option<ExitCode>> {
    let program = context.workspace.lab();
    let Some(ended) = user::again(vpc, program)? else {
        return Ok(None);
    };
    let status = ended.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Some(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }))
}

/// Returns the network of the lab that is up, or of the notes.
fn network(args: &cli::Reach, context: &Context) -> Result<Network> {
    if let Some(path) = &args.network {
        return vpc::read(path);
    }
    match vpc_lab(context) {
        Some(Lab { vpc: Some(vpc), .. }) => Ok(vpc.network.clone()),
        _ => vpc::read(&context.workspace.network()),
    }
}

/// Returns the lab, if it has a VPC and runs.
fn vpc_lab(context: &Context) -> Option<Lab> {
    let runs = context.dir.is_supervised().unwrap_or(false);
    context.lab().ok().filter(|lab| runs && lab.vpc.is_some())
}

fn by_rules(network: &Network) -> ExitCode {
    let report = Report {
        found: network.table(),
        wanted: network.wanted(),
        faults: network.audit().iter().map(ToString::to_string).collect(),
    };
    show(&report)
}

fn show(report: &Report) -> ExitCode {
    output::say(marked(&report.found, &report.wanted));
    for fault in &report.faults {
        output::say(format_args!("✗ {fault}"));
    }
    if report.holds() {
        output::say("every cell is as it must be");
        ExitCode::SUCCESS
    } else {
        output::say("the network is not as it must be");
        ExitCode::FAILURE
    }
}

/// Returns the aligned table; a cell that is not as expected shows both values.
fn marked(found: &Table, wanted: &Table) -> String {
    let mut rows = vec![[vec![r"from \ to".to_owned()], found.columns.clone()].concat()];
    for (row, must) in found.rows.iter().zip(&wanted.rows) {
        let cells = row.cells.iter().zip(&must.cells).map(|(cell, must)| {
            if cell == must {
                cell.to_string()
            } else {
                format!("{cell} ✗ not {must}")
            }
        });
        rows.push([row.from.to_string()].into_iter().chain(cells).collect());
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..=found.columns.len()).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Explains the path step by step, and in a running lab what really happens.
async fn explain(from: &str, to: &str, args: &cli::Reach, context: &Context) -> Result<ExitCode> {
    if let Some(lab) = vpc_lab(context).filter(|_| args.network.is_none())
        && let Some(code) = again(lab.required_vpc()?, context)?
    {
        return Ok(code);
    }
    let network = network(args, context)?;
    let (name, port) = host_and_port(to)
        .with_context(|| format!("{to:?} is not a host and port, such as db:3306"))?;
    let verdict = network.may(from, name, port)?;
    output::say(format_args!("{verdict}\n"));
    for step in &verdict.steps {
        let mark = if step.lets { "✓" } else { "✗" };
        output::say(format_args!("{mark} {step}"));
    }
    if let Some(lab) = vpc_lab(context).filter(|_| args.network.is_none()) {
        let vpc = lab.required_vpc()?;
        let reached = reach::try_one(vpc, verdict.from, verdict.to, port).await?;
        let found = if reached { "reached" } else { "not reached" };
        output::say(format_args!("\ntried: {found}"));
    }
    Ok(if verdict.reaches() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (name, port) = text.rsplit_once(':')?;
    Some((name, port.parse().ok()?))
}
