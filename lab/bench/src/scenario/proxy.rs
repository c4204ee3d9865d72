//! The web tier as a proxy on one core, compared with nginx on the same core, both in front of the same server.
//!
//! That server is haproxy with a fixed answer, on the other core with the load generator, so that it is not the
//! bottleneck.

use anyhow::Result;
use lab_runner::ports::free_address;

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    peer::{self, Stack},
    report::Report,
    testbed::Testbed,
};

const CONNECTIONS: u32 = 64;

/// Core of the proxy; everything else runs on the other.
const PROXY: usize = 0;
const REST: usize = 1;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let address = free_address()?;
    // A process started here inherits the pinning, and sees a single core from its start.
    let on_proxy_core = peer::pin_self(PROXY)?;
    let web = bed.web_tier(&format!("http://{address}")).await?;
    let nginx = Stack::nginx(address, bed).await?;
    drop(on_proxy_core);
    let on_the_other = peer::pin_self(REST)?;
    let behind = peer::fixed_answer(address, bed).await?;

    let sides = [("web-tier", web.url()), ("nginx", nginx.url())];
    let mut rates = [Vec::new(), Vec::new()];
    let mut latencies = [Vec::new(), Vec::new()];
    for _ in 0..bed.pace.rounds {
        for (index, (name, url)) in sides.iter().enumerate() {
            let outcome = bed.most(&format!("{url}/pay"), CONNECTIONS).await?;
            let p99 = outcome.percentile(99.0);
            let shown = format!(
                "{} requests/s, p99 {} ms",
                number(outcome.rate),
                number(p99)
            );
            tell(name, shown);
            rates[index].push(outcome.rate);
            latencies[index].push(p99);
        }
    }
    drop(on_the_other);
    web.end().await;
    nginx.end().await;
    behind.end().await;

    let [ours, theirs] = rates;
    report.add(Finding::times(
        "web-tier as proxy, requests/s on one core",
        Figure::new("web-tier", "requests/s", ours),
        Figure::new("nginx", "requests/s", theirs),
        0.9,
    ));
    let [ours, theirs] = latencies;
    report.add(Finding::share(
        "web-tier as proxy, p99",
        Figure::new("web-tier", "ms", ours),
        Figure::new("nginx", "ms", theirs),
        1.1,
    ));
    Ok(())
}
