//! `payctl doctor`.

use std::path::PathBuf;

use payment_core::CardCheck;
use program::Env;
use serde_json::json;
use url::Url;

use crate::config::{self, User};
use crate::doctor::aws::Aws;
use crate::doctor::here::{self, Here};
use crate::doctor::{self, Account, Area, Findings, Names};
use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::pay_client::{self, Trust};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to look at [default: all]
    #[arg(value_enum)]
    areas: Vec<Area>,
    /// Every finding and note as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trust: Trust,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let bucket = env.or("LOG_BUCKET", "fintech-payment-pipeline".to_owned());
    let prefix = env.or("LOG_PREFIX", "transactions/".to_owned());
    let areas = if args.areas.is_empty() {
        Area::ALL.to_vec()
    } else {
        args.areas
    };
    let here = here(&mut env, args.trust);
    let here = env.finish(|| here).map_err(Failure::config)?;
    let names = Names::new(bucket, prefix)?;

    let mut findings = if areas == [Area::Here] {
        Findings::default()
    } else {
        let account = Account::look(&Aws::new(), &names, &areas).await?;
        doctor::examine(&account, &names, &areas)
    };
    if areas.contains(&Area::Here) {
        here::check(here, &mut findings).await;
    }
    tell(&findings, args.json)?;
    let (faults, unseen) = (findings.faults(), findings.notes.len());
    if unseen > 0 {
        output::warn(&format!("{unseen} thing(s) could not be looked at"));
    }
    Ok(Outcome::unfinished_if(unseen > 0).and(Outcome::different_if(faults > 0)))
}

fn here(env: &mut Env, trust: Trust) -> Option<Here> {
    let endpoint: Option<Url> = env.optional("AWS_ENDPOINT_URL_S3");
    let region = env.or("AWS_REGION", "us-west-2".to_owned());
    let ca_bundle: Option<PathBuf> = env.optional("DB_CA_BUNDLE");
    let url: Option<String> = env.optional("DATABASE_URL");
    let host: Option<String> = env.optional("DB_HOST");
    let secret: Option<String> = env.optional("DB_SECRET_ARN");
    let clock = match endpoint {
        Some(url) => url,
        None => Url::parse(&format!("https://s3.{region}.amazonaws.com/")).ok()?,
    };
    let database = if url.is_some() || host.is_some() || secret.is_some() {
        config::access(env, User::Reader)
    } else {
        None
    };
    Some(Here {
        alb: pay_client::optional(env, trust),
        database,
        ca_bundle,
        clients: env.optional("CLIENTS_FILE"),
        clock,
        cards: env.or(CardCheck::VARIABLE, CardCheck::ALL),
    })
}

fn tell(findings: &Findings, as_json: bool) -> std::io::Result<()> {
    let mut found: Vec<_> = findings.found.iter().collect();
    found.sort_by_key(|finding| finding.severity);
    if as_json {
        for finding in found {
            output::say_json(finding)?;
        }
        for note in &findings.notes {
            output::say_json(&json!({ "note": note }))?;
        }
        return Ok(());
    }
    for finding in &found {
        output::say(&format!("{}\n", output::lines(&finding.block())))?;
    }
    for note in &findings.notes {
        output::say(&format!("note     {}\n", output::safe(note)))?;
    }
    let faults = findings.faults();
    match found.len() - faults {
        0 => output::say(&format!("{faults} finding(s)\n")),
        advice => output::say(&format!(
            "{faults} finding(s), {advice} piece(s) of advice\n"
        )),
    }
}
