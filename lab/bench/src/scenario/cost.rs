//! Cost of S3 and Lambda at a steady rate, for payments that share objects and for one object per payment: requests,
//! invocations and billed time are counted for the same number of payments on each side, then priced.

use anyhow::{Context as _, Result};
use lab_runner::part::PartName;
use reqwest::header::AUTHORIZATION;

use super::tell;
use crate::{
    NO_ANSWER,
    finding::{Figure, Finding, number},
    host::authorization,
    load::Outcome,
    price,
    report::{Report, Table},
    testbed::Testbed,
};

const RATE: u32 = 1_000;
const CONNECTIONS: u32 = 512;

/// Latency of S3 on AWS for a small object, in milliseconds.
const S3: u64 = 25;

/// App tier settings that trade cost for latency.
const WAYS: [Way; 4] = [
    Way {
        name: "one object per payment",
        variable: ("LOG_LAYOUT", "object"),
    },
    Way {
        name: "LOG_LINGER_MS=0",
        variable: ("LOG_LINGER_MS", "0"),
    },
    Way {
        name: "LOG_LINGER_MS=50",
        variable: ("LOG_LINGER_MS", "50"),
    },
    Way {
        name: "LOG_LINGER_MS=100",
        variable: ("LOG_LINGER_MS", "100"),
    },
];

/// The baseline of the comparison.
const SINGLE: &str = "one object per payment";

/// The setting that the target is about.
const TARGET: &str = "LOG_LINGER_MS=50";

struct Way {
    name: &'static str,
    variable: (&'static str, &'static str),
}

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    bed.s3_latency(S3).await?;
    let mut table = Table::new(
        "S3 and Lambda, counted, for a million payments at 1,000/s on one node, S3 at 25 ms",
        &[
            "",
            "PUTs",
            "GETs",
            "runs",
            "Lambda s",
            "dollars",
            "relative to one object per payment",
            "answer p50 ms",
            "answer p99 ms",
        ],
    );
    let mut single = f64::NAN;
    for way in &WAYS {
        let (used, outcome) = measure(way, bed).await?;
        let dollars = used.dollars();
        if way.name == SINGLE {
            single = dollars;
        }
        tell(way.name, format!("{} dollars a million", number(dollars)));
        table.row([
            way.name.to_owned(),
            number(used.puts),
            number(used.gets),
            number(used.runs),
            number(used.function_seconds),
            number(dollars),
            format!("{} ×", number(dollars / single)),
            number(outcome.percentile(50.0)),
            number(outcome.percentile(99.0)),
        ]);
        if way.name == TARGET {
            report.add(Finding::share(
                "S3 and Lambda cost of a million payments at 1,000/s, LOG_LINGER_MS=50",
                Figure::new("group commit", "dollars", vec![dollars]),
                Figure::new(SINGLE, "dollars", vec![single]),
                0.02,
            ));
        }
    }
    bed.s3_latency(0).await?;
    report.table(table);
    report.table(price::table());
    Ok(())
}

/// Measures what a million payments use, and the latency that clients see.
async fn measure(way: &Way, bed: &Testbed) -> Result<(Counts, Outcome)> {
    let app = bed.app_tier(&[way.variable]).await?;
    let web = bed.web_tier(&app.url()).await?;
    let before = Counts::now(bed).await?;
    let url = format!("{}/pay", web.url());
    let outcome = bed.steady(&url, CONNECTIONS, RATE).await?;
    web.end().await;
    app.end().await;
    bed.until_ingested().await?;
    let used = Counts::now(bed).await?.since(&before);
    Ok((used.of_a_million(), outcome))
}

/// Everything counted since the lab started.
struct Counts {
    payments: f64,
    puts: f64,
    gets: f64,
    runs: f64,
    function_seconds: f64,
}

impl Counts {
    async fn now(bed: &Testbed) -> Result<Self> {
        let s3 = ask(bed, PartName::S3, "requests").await?;
        let lambda = ask(bed, PartName::Lambda, "status").await?;
        let count = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
        Ok(Self {
            payments: bed.number("SELECT COUNT(*) FROM transactions").await?,
            puts: count(&s3["puts"]),
            gets: count(&s3["gets"]),
            runs: count(&lambda["counts"]["invocations"]),
            function_seconds: count(&lambda["counts"]["billed_ms"]) / 1000.0,
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

/// Returns the counters of one of the lab's servers.
async fn ask(bed: &Testbed, part: PartName, what: &str) -> Result<serde_json::Value> {
    let url = format!("{}/_lab/{what}", bed.lab.url(part));
    let operator = authorization(&bed.lab.credentials.aws.operator.id);
    let client = lab_runner::http::client().context(NO_ANSWER)?;
    let request = client.get(url).header(AUTHORIZATION, operator);
    let answer = request.send().await.context(NO_ANSWER)?;
    answer.json().await.context(NO_ANSWER)
}
