//! What S3 and Lambda cost at a steady rate: requests and function time are counted, then priced.

use reqwest::header::AUTHORIZATION;

use super::{Error, tell};
use crate::{
    bench::{
        bed::Bed,
        finding::{Figure, Finding, number},
        host::authorization,
        price,
        report::{Report, Table},
    },
    part::PartName,
};

const RATE: u32 = 1_000;
const CONNECTIONS: u32 = 512;

/// What S3 takes on AWS for a small object, in milliseconds.
const S3: u64 = 25;

/// Settings of the app tier by which it is dearer and faster, or cheaper and slower.
const LINGER_MS: [&str; 3] = ["0", "50", "100"];

/// That of the target.
const TARGET: &str = "50";

pub async fn run(bed: &Bed, report: &mut Report) -> Result<(), Error> {
    bed.s3_latency(S3).await?;
    let mut table = Table::new(
        "S3 and Lambda, US dollars a million payments, at 1,000 payments/s on one node, S3 at 25 ms",
        &[
            "LOG_LINGER_MS",
            "PUTs",
            "GETs",
            "Lambda s",
            "dollars",
            "answer p50 ms",
            "answer p99 ms",
        ],
    );
    let single = price::one_object_a_payment();
    table.row([
        "one object a payment".to_owned(),
        number(1e6),
        number(1e6),
        String::new(),
        number(single),
        String::new(),
        String::new(),
    ]);
    for linger in LINGER_MS {
        let app = bed.app_tier(&[("LOG_LINGER_MS", linger)]).await?;
        let web = bed.web_tier(&app.url()).await?;
        let before = Counts::now(bed).await?;
        let outcome = bed
            .steady(&format!("{}/pay", web.url()), CONNECTIONS, RATE)
            .await?;
        web.end().await;
        app.end().await;
        bed.until_ingested().await?;
        let used = Counts::now(bed).await?.since(&before).of_a_million();
        let dollars = used.dollars();
        tell(
            &format!("LOG_LINGER_MS={linger}"),
            format!("{} dollars a million", number(dollars)),
        );
        table.row([
            linger.to_owned(),
            number(used.puts),
            number(used.gets),
            number(used.function_seconds),
            number(dollars),
            number(outcome.percentile(50.0)),
            number(outcome.percentile(99.0)),
        ]);
        if linger == TARGET {
            report.add(Finding::share(
                "S3 and Lambda cost of a million payments at 1,000/s, LOG_LINGER_MS=50",
                Figure::new("group commit", "dollars", vec![dollars]),
                Figure::new("one object a payment", "dollars", vec![single]),
                0.02,
            ));
        }
    }
    bed.s3_latency(0).await?;
    report.table(table);
    Ok(())
}

/// All that was counted since the lab began.
struct Counts {
    payments: f64,
    puts: f64,
    gets: f64,
    runs: f64,
    function_seconds: f64,
}

impl Counts {
    async fn now(bed: &Bed) -> Result<Self, Error> {
        let objects = bed.number("SELECT COUNT(*) FROM ingested_objects").await?;
        let url = format!("{}/_lab/status", bed.lab.url(PartName::Lambda));
        let status: serde_json::Value = crate::http::client()
            .map_err(Error::Http)?
            .get(url)
            .header(
                AUTHORIZATION,
                authorization(&bed.lab.credentials.aws.operator.id),
            )
            .send()
            .await
            .map_err(Error::Http)?
            .json()
            .await
            .map_err(Error::Http)?;
        let count = |name: &str| status["counts"][name].as_f64().unwrap_or(f64::NAN);
        Ok(Self {
            payments: bed.number("SELECT COUNT(*) FROM transactions").await?,
            // Each object was put once, and read once: it is ingested once.
            puts: objects,
            gets: objects,
            runs: count("invocations"),
            function_seconds: count("billed_ms") / 1000.0,
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            payments: self.payments - before.payments,
            puts: self.puts - before.puts,
            gets: self.gets - before.gets,
            runs: self.runs - before.runs,
            function_seconds: self.function_seconds - before.function_seconds,
        }
    }

    fn of_a_million(&self) -> Self {
        let times = 1e6 / self.payments;
        Self {
            payments: 1e6,
            puts: self.puts * times,
            gets: self.gets * times,
            runs: self.runs * times,
            function_seconds: self.function_seconds * times,
        }
    }

    fn dollars(&self) -> f64 {
        price::of(self.puts, self.gets, self.runs, self.function_seconds)
    }
}
