//! The app tier by itself: throughput and CPU time, compared with the servers that put what they are sent into the same
//! S3 before they answer, where they are installed.

use anyhow::Result;
use lab_runner::{install, server::Server};

use super::side::Side;
use crate::{
    finding::Finding,
    load::{Body, Load},
    peer::{s2, vector},
    report::Report,
    testbed::Testbed,
};

const CONNECTIONS: u32 = 256;

/// A peer that may be missing, and what we want beside it.
struct Wanted {
    name: &'static str,
    program: &'static str,
    rate: f64,
    share: f64,
}

const VECTOR: Wanted = Wanted {
    name: "Vector",
    program: "vector",
    rate: 2.0,
    share: 0.5,
};

const S2: Wanted = Wanted {
    name: "S2 lite at 5 ms",
    program: "s2",
    rate: 2.5,
    share: 0.35,
};

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let vector = match install::find(VECTOR.program) {
        Some(program) => Some(vector::start(program, bed).await?),
        None => None,
    };
    compare(&VECTOR, vector, "/process", Body::Payment, bed, report).await?;
    let s2 = match install::find(S2.program) {
        Some(program) => Some(s2::start(program, bed).await?),
        None => None,
    };
    compare(&S2, s2, s2::APPEND, Body::Record, bed, report).await
}

/// Both sides in turns. Without the peer ours alone is measured.
async fn compare(
    wanted: &Wanted,
    peer: Option<Server>,
    path: &str,
    body: Body,
    bed: &Testbed,
    report: &mut Report,
) -> Result<()> {
    let app = bed.app_tier(&[]).await?;
    let load = bed.pace.load(format!("{}/process", app.url()), CONNECTIONS);
    let (mut ours, mut theirs) = (Side::new("app-tier"), Side::new(wanted.name));
    for _ in 0..bed.pace.rounds {
        ours.measure(&[&app], &load, bed).await?;
        if let Some(peer) = &peer {
            let url = format!("{}{path}", peer.url());
            let load = Load {
                url,
                body,
                ..load.clone()
            };
            theirs.measure(&[peer], &load, bed).await?;
        }
    }
    app.end().await;
    let [rate, each] = ours.figures();
    let what = format!("app-tier, accepted/s, compared with {}", wanted.name);
    let what_each = format!("app-tier, CPU per payment, compared with {}", wanted.name);
    let Some(peer) = peer else {
        let why = format!("no {} on this machine", wanted.program);
        let target = |times: f64| format!("{times} × {}", wanted.name);
        report.add(Finding::not_measured(
            &what,
            &target(wanted.rate),
            &why,
            vec![rate],
        ));
        let each = vec![each];
        report.add(Finding::not_measured(
            &what_each,
            &target(wanted.share),
            &why,
            each,
        ));
        return Ok(());
    };
    peer.end().await;
    let [their_rate, their_each] = theirs.figures();
    report.add(Finding::times(&what, rate, their_rate, wanted.rate));
    report.add(Finding::share(&what_each, each, their_each, wanted.share));
    Ok(())
}
