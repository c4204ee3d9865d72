//! A single payment on an idle system: the latency that both tiers add to S3's own PUT.

use lab_runner::part::PartName;
use tokio::time::Instant;

use super::{Error, tell};
use crate::{
    finding::{Figure, Finding, number},
    load::PAYMENT,
    objects::Objects,
    report::Report,
    testbed::Testbed,
};

/// Payments per round.
const PAYMENTS: usize = 500;

/// Most that the tiers may add, in milliseconds.
const LIMIT: f64 = 1.0;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<(), Error> {
    let web = bed.web_tier(&bed.lab.url(PartName::AppA)).await?;
    let url = format!("{}/pay", web.url());
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(Error::Http)?;
    let objects = Objects::of(bed);
    let mut added = Vec::new();
    let mut puts = Vec::new();
    for _ in 0..bed.pace.rounds {
        let mut of_s3 = Vec::with_capacity(PAYMENTS);
        let mut of_pay = Vec::with_capacity(PAYMENTS);
        // Interleaved, so that variations of the machine affect both.
        for _ in 0..PAYMENTS {
            of_s3.push(objects.time_one().await?);
            of_pay.push(pay(&client, &url).await?);
        }
        let put = Figure::new("S3's PUT", "ms", of_s3).median();
        let pay = Figure::new("POST /pay", "ms", of_pay).median();
        tell(
            "alone",
            format!("PUT {} ms, payment {} ms", number(put), number(pay)),
        );
        added.push(pay - put);
        puts.push(put);
    }
    web.end().await;
    let what = "a single payment: time that both tiers add to S3's PUT";
    let mut finding = Finding::at_most(what, Figure::new("added", "ms", added), LIMIT);
    finding.figures.push(Figure::new("S3's PUT", "ms", puts));
    report.add(finding);
    Ok(())
}

async fn pay(client: &reqwest::Client, url: &str) -> Result<f64, Error> {
    let asked = Instant::now();
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(PAYMENT);
    let answer = request.send().await.map_err(Error::Http)?;
    let status = answer.status();
    answer.bytes().await.map_err(Error::Http)?;
    let took = asked.elapsed().as_secs_f64() * 1000.0;
    if status.as_u16() == 202 {
        return Ok(took);
    }
    Err(Error::Unexpected(format!(
        "a payment was answered {status}"
    )))
}
