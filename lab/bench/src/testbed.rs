//! What all scenarios share: a lab, load generators, and a few switches.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use lab_runner::{
    database::User,
    fault::Switches,
    known_client::{self, KnownClient},
    lab::Lab,
    part::{self, PartName, tier},
    ports::free_address,
    server::Server,
    state::status::Status,
};
use nix::sys::signal::Signal;
use server_kit::fault::Setting;
use tokio::time::{Instant, sleep};

use super::{
    Pace,
    load::{Load, Outcome},
    tools::Tools,
};

const LATENCY: &str = "latency";
const EVENT_DROP: &str = "event-drop";

/// Longest wait for the function to ingest what came before.
const QUIET: Duration = Duration::from_mins(2);

#[derive(Debug)]
pub struct Testbed {
    pub lab: Lab,
    pub pace: Pace,
    tools: Tools,
    s3: Switches,
}

impl Testbed {
    pub fn new(lab: Lab, pace: Pace) -> Result<Self> {
        Ok(Self {
            s3: Switches::of(PartName::S3, &lab)?,
            lab,
            pace,
            tools: Tools::default(),
        })
    }

    /// Measures the maximum throughput of a URL, after a warm-up. No request may fail.
    pub async fn most(&self, url: &str, connections: u32) -> Result<Outcome> {
        self.most_of(&self.pace.load(url, connections)).await
    }

    /// Like [`Testbed::most`], for any load.
    pub async fn most_of(&self, load: &Load) -> Result<Outcome> {
        let wrk = self.tools.wrk().await?;
        wrk.run(&self.warm_up(load)).await?;
        sound(load, wrk.run(load).await?).await
    }

    /// Like [`Testbed::most_of`], with the CPU time that the servers together take for each payment, in microseconds.
    pub async fn most_and_cpu(&self, servers: &[&Server], load: &Load) -> Result<(Outcome, f64)> {
        let cpu = || -> Duration { servers.iter().map(|server| server.usage().cpu).sum() };
        let before = cpu();
        // Includes the warm-up, both its time and its answers.
        let outcome = self.most_of(load).await?;
        let took = cpu().saturating_sub(before);
        let length = self.pace.length + self.pace.warm_up;
        let payments = load.payments_a_second(&outcome) * length.as_secs_f64();
        Ok((outcome, took.as_secs_f64() * 1e6 / payments))
    }

    /// Measures the latency at a steady rate, after a warm-up. No request may fail.
    pub async fn steady(&self, url: &str, connections: u32, rate: u32) -> Result<Outcome> {
        self.steady_of(&self.pace.load(url, connections), rate)
            .await
    }

    pub async fn steady_of(&self, load: &Load, rate: u32) -> Result<Outcome> {
        let oha = self.tools.oha(&self.lab.workspace).await?;
        oha.run(&self.warm_up(load), rate).await?;
        sound(load, oha.run(load, rate).await?).await
    }

    /// Sends for as long as [`Testbed::steady_of`] does, warm-up included. Requests may fail.
    pub async fn beside(&self, load: &Load, rate: u32) -> Result<Outcome> {
        let load = Load {
            length: self.pace.warm_up + self.pace.length,
            ..load.clone()
        };
        let oha = self.tools.oha(&self.lab.workspace).await?;
        oha.run(&load, rate).await
    }

    fn warm_up(&self, load: &Load) -> Load {
        Load {
            length: self.pace.warm_up,
            ..load.clone()
        }
    }

    /// Adds this latency to S3's own.
    pub async fn s3_latency(&self, ms: u64) -> Result<()> {
        if ms == 0 {
            self.s3.clear(Some(LATENCY)).await?;
            return Ok(());
        }
        let setting = Setting {
            ms: Some(ms),
            ..Setting::default()
        };
        self.s3.set(LATENCY, &setting).await?;
        Ok(())
    }

    /// From now on objects are stored but the lab's function is not invoked, so that only the tiers are measured, or a
    /// function under a host of its own.
    pub async fn without_function(&self) -> Result<()> {
        self.s3.set(EVENT_DROP, &Setting::default()).await?;
        self.lab.dir.hold(PartName::Lambda).set(None)?;
        Status::signal(&self.lab.dir, PartName::Lambda, Signal::SIGTERM)?;
        Ok(())
    }

    /// Waits until the function has nothing left to do.
    pub async fn until_ingested(&self) -> Result<()> {
        let deadline = Instant::now() + QUIET;
        let mut before = None;
        while Instant::now() < deadline {
            let now = self.sql("SELECT COUNT(*) FROM ingested_objects").await?;
            if before.as_ref() == Some(&now) {
                return Ok(());
            }
            before = Some(now);
            sleep(Duration::from_secs(2)).await;
        }
        bail!("the function has objects left after {QUIET:?}")
    }

    /// Runs a statement as `reader`; returns its output without the final newline.
    pub async fn sql(&self, statement: &str) -> Result<String> {
        let client = self.lab.database()?.client(User::Reader);
        let text = format!("USE payments; {statement}");
        Ok(client.query(&text).await?.trim_end().to_owned())
    }

    /// Returns the number that a statement selects, run as `reader`.
    pub async fn number(&self, statement: &str) -> Result<f64> {
        let text = self.sql(statement).await?;
        text.parse()
            .ok()
            .with_context(|| format!("{statement} gives {text}, no number"))
    }

    pub fn pid(&self, part: PartName) -> Result<i32> {
        let status = Status::load(&self.lab.dir)?;
        let pid = status.and_then(|status| status.part(part)?.pid);
        pid.with_context(|| format!("{part} does not run"))
    }

    /// Starts a separate web tier in front of the app tier at `upstream`.
    pub async fn web_tier(&self, upstream: &str) -> Result<Server> {
        let mut part = tier::web(PartName::WebA, &self.lab)?;
        part.launch.env.insert("APP_TIER_URL", upstream.to_owned());
        self.start("web-tier", part).await
    }

    /// Starts a separate web tier that knows these clients.
    pub async fn known_web_tier(&self, upstream: &str, clients: &[KnownClient]) -> Result<Server> {
        let file = self.lab.dir.root().join("clients.toml");
        known_client::write_file(&file, clients)?;
        let mut part = tier::web(PartName::WebA, &self.lab)?;
        let env = &mut part.launch.env;
        env.insert("APP_TIER_URL", upstream.to_owned());
        env.insert("CLIENTS_FILE", file.display().to_string());
        self.start("web-tier-known", part).await
    }

    /// Starts a separate app tier with these additional variables.
    pub async fn app_tier(&self, variables: &[(&'static str, &str)]) -> Result<Server> {
        let mut part = tier::app(PartName::AppA, &self.lab)?;
        for (name, value) in variables {
            part.launch.env.insert(name, (*value).to_owned());
        }
        self.start("app-tier", part).await
    }

    async fn start(&self, name: &str, mut part: part::Part) -> Result<Server> {
        part.address = free_address()?;
        let env: &mut BTreeMap<_, _> = &mut part.launch.env;
        env.insert("LISTEN_ADDR", part.address.to_string());
        env.insert("ADMIN_LISTEN_ADDR", "127.0.0.1:0".to_owned());
        env.insert("DRAIN_SECONDS", "0".to_owned());
        Server::start(name, part, &self.log(name)).await
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.lab.dir.log(format_args!("bench-{name}"))
    }
}

async fn sound(load: &Load, outcome: Outcome) -> Result<Outcome> {
    let Outcome { failed, .. } = outcome;
    if failed == 0 {
        return Ok(outcome);
    }
    let (url, next) = (&load.url, answer_to_one(load).await);
    bail!(
        "{failed} requests of {url} failed, so the measurement is not valid; the next one got {next}"
    )
}

/// The answer to one more payment: the load generators count answers, and do not show them.
async fn answer_to_one(load: &Load) -> String {
    let client = reqwest::Client::builder().no_proxy().build();
    let answer = match client {
        Ok(client) => load.one(&client).send().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => {
            let status = answer.status();
            format!("{status} {}", answer.text().await.unwrap_or_default())
        }
        Err(error) => error.to_string(),
    }
}
