//! Memory of both tiers, idle, under load and afterwards.

use std::time::Duration;

use anyhow::Result;
use lab_runner::server::Server;
use tokio::time::sleep;

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    report::{Report, Table},
    testbed::Testbed,
};

const STEADY: u32 = 1_000;
const CONNECTIONS: u32 = 64;

/// Connections of the full load.
const MOST: u32 = 256;

/// Pause between the full load and the measurement of what is kept.
const REST: Duration = Duration::from_secs(10);

/// Most memory that each tier may hold, in MiB.
const LIMIT: f64 = 32.0;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let app = bed.app_tier(&[]).await?;
    let web = bed.web_tier(&app.url()).await?;
    let url = format!("{}/pay", web.url());
    let mut table = Table::new("Memory, MiB resident", &["load", "web-tier", "app-tier"]);
    let mut note = |load: &str| {
        let both = [&web, &app].map(|tier| tier.usage().memory_mib);
        tell(
            load,
            format!("web {} MiB, app {} MiB", number(both[0]), number(both[1])),
        );
        table.row([load.to_owned(), number(both[0]), number(both[1])]);
    };
    note("at rest");
    bed.steady(&url, CONNECTIONS, STEADY).await?;
    note("after 1,000 payments/s on 64 connections");
    let steady = [&web, &app].map(held);
    bed.most(&url, MOST).await?;
    note("after all that 256 connections can send");
    sleep(REST).await;
    note("10 s later");
    let rested = [&web, &app].map(held);
    web.end().await;
    app.end().await;

    report.table(table);
    for (figures, when) in [
        (steady, "at 1,000 payments/s"),
        (rested, "10 s after full load"),
    ] {
        for figure in figures {
            let what = format!("memory of {}, {when}", figure.name);
            report.add(Finding::at_most(&what, figure, LIMIT));
        }
    }
    Ok(())
}

fn held(tier: &Server) -> Figure {
    Figure::new(tier.name(), "MiB", vec![tier.usage().memory_mib])
}
