//! Known callers: what a client over its limit costs the others, and what a key costs a request.

use anyhow::{Result, ensure};
use lab_runner::{known_client::KnownClient, part::PartName, ports::free_address, server::Server};

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    load::Load,
    peer,
    report::Report,
    testbed::Testbed,
};

/// Requests per second that one client may send.
const LIMIT: u32 = 50;

/// How many times its limit that client sends.
const TIMES: u32 = 20;

/// Payments per second of the others, and their connections.
const OTHERS: u32 = 500;
const CONNECTIONS: u32 = 64;

/// Core of the web tier; everything else runs on the other.
const TIER: usize = 0;
const REST: usize = 1;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    over_the_limit(bed, report).await?;
    by_key(bed, report).await
}

/// The others' latency, in turns: alone, and beside a client at many times its limit.
async fn over_the_limit(bed: &Testbed, report: &mut Report) -> Result<()> {
    let greedy = KnownClient::new("greedy")?.limited(LIMIT);
    let others = KnownClient::new("others")?;
    let clients = [greedy.clone(), others.clone()];
    let web = bed
        .known_web_tier(&bed.lab.url(PartName::AppA), &clients)
        .await?;
    let load = bed
        .pace
        .load(format!("{}/pay", web.url()), CONNECTIONS)
        .with_key(&others.key);
    let too_much = load.clone().with_key(&greedy.key);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..bed.pace.rounds {
        let outcome = bed.steady_of(&load, OTHERS).await?;
        tell("the others alone", p99(outcome.percentile(99.0)));
        alone.push(outcome.percentile(99.0));

        let (outcome, limited) = tokio::try_join!(
            bed.steady_of(&load, OTHERS),
            bed.beside(&too_much, TIMES * LIMIT)
        )?;
        let shown = format!(
            "{}; of its {}/s, {}/s were accepted",
            p99(outcome.percentile(99.0)),
            number(f64::from(TIMES * LIMIT)),
            number(limited.rate)
        );
        tell("the others beside the one over its limit", shown);
        ensure!(
            limited.failed > 0 && limited.rate <= f64::from(2 * LIMIT),
            "a client with {LIMIT}/s got {} through",
            limited.rate
        );
        beside.push(outcome.percentile(99.0));
    }
    web.end().await;
    report.add(Finding::share(
        "p99 of the others, at 500 payments/s, beside a client at 20 × its limit",
        Figure::new("beside it", "ms", beside),
        Figure::new("without it", "ms", alone),
        1.2,
    ));
    Ok(())
}

fn p99(ms: f64) -> String {
    format!("p99 {} ms", number(ms))
}

/// CPU time of the web tier for a request, in turns: with open intake, and with a key. Both in front of a fixed answer.
async fn by_key(bed: &Testbed, report: &mut Report) -> Result<()> {
    let address = free_address()?;
    let upstream = format!("http://{address}");
    let client = KnownClient::new("bench")?;
    let on_its_core = peer::pin_self(TIER)?;
    let open = bed.web_tier(&upstream).await?;
    let known = bed
        .known_web_tier(&upstream, std::slice::from_ref(&client))
        .await?;
    drop(on_its_core);
    let on_the_other = peer::pin_self(REST)?;
    let behind = peer::fixed_answer(address, bed).await?;

    let load = |server: &Server| bed.pace.load(format!("{}/pay", server.url()), CONNECTIONS);
    let sides: [(&Server, Load); 2] = [
        (&open, load(&open)),
        (&known, load(&known).with_key(&client.key)),
    ];
    let mut each = [Vec::new(), Vec::new()];
    for _ in 0..bed.pace.rounds {
        for (side, (server, load)) in each.iter_mut().zip(&sides) {
            let (outcome, cpu) = bed.most_and_cpu(&[server], load).await?;
            let shown = format!("{} µs, {} requests/s", number(cpu), number(outcome.rate));
            tell(server.name(), shown);
            side.push(cpu);
        }
    }
    drop(on_the_other);
    open.end().await;
    known.end().await;
    behind.end().await;

    let unit = "µs of CPU";
    let [open, known] = each;
    let added = known.iter().zip(&open).map(|(known, open)| known - open);
    let added = Figure::new("added", unit, added.collect());
    let mut finding = Finding::at_most("web-tier, CPU that a key adds to a request", added, 3.0);
    finding.figures.extend([
        Figure::new("open intake", unit, open),
        Figure::new("with a key", unit, known),
    ]);
    report.add(finding);
    Ok(())
}
