//! Checks what the pages created, by asking the account itself. `payctl doctor` checks it as it checks an account on
//! AWS; this module covers what doctor does not: exact settings, full policies, and what is left at the end.

mod balancers;
mod bucket;
mod database;
mod findings;
mod function;
mod instances;
mod names;
mod remains;
mod roles;

use std::fs;

use anyhow::{Context as _, Result};
use lab_runner::{
    lab::{FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_SECONDS},
    workspace::Workspace,
};
use serde_json::Value;

use self::{findings::Findings, names::Names};
use super::stand_in::StandIn;

/// Account, region and bucket in the files; moto's account is a different one.
const ACCOUNT_OF_FILES: &str = "000000000000";
const DATABASE_OF_FILES: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BUCKET: &str = "fintech-payment-pipeline";
const FUNCTION: &str = "FinTechTransactionAlert";

/// Areas of `payctl doctor`: all except those that check this machine.
const DOCTORED: [&str; 9] = [
    "network",
    "balancers",
    "instances",
    "bucket",
    "function",
    "database",
    "iam",
    "alarms",
    "guards",
];

/// An account and its expected content.
#[derive(Debug)]
pub struct Check<'a> {
    account: &'a StandIn,
    workspace: &'a Workspace,
    number: String,
    /// The id that IAM uses for the database; empty before it exists.
    database: String,
}

impl<'a> Check<'a> {
    pub async fn of(account: &'a StandIn, workspace: &'a Workspace) -> Result<Self> {
        let caller = account.ask(&["sts", "get-caller-identity"]).await?;
        let databases = account.ask(&["rds", "describe-db-instances"]).await?;
        let database = &databases["DBInstances"][0]["DbiResourceId"];
        Ok(Self {
            account,
            workspace,
            database: database.as_str().unwrap_or_default().to_owned(),
            number: findings::text(&caller["Account"]),
        })
    }

    /// Checks everything that the pages created: with `payctl doctor`, and what only the simulated AWS reports.
    pub async fn everything(&self) -> Result<Vec<String>> {
        let names = Names::read(self.account).await?;
        let mut findings = Findings::default();
        balancers::check(self.account, &names, &mut findings).await?;
        instances::check(self.account, &names, &mut findings).await?;
        database::check(self.account, &names, &mut findings).await?;
        roles::check(self, &mut findings).await?;
        bucket::check(self, &mut findings).await?;
        function::check(self, &names, &mut findings).await?;
        let mut faults = self.account.doctor(&DOCTORED).await?;
        faults.extend(findings.all());
        Ok(faults)
    }

    /// Returns what the tear-down left.
    pub async fn remains(&self) -> Result<Vec<String>> {
        remains::list(self.account).await
    }

    async fn ask(&self, words: &[&str]) -> Result<Value> {
        self.account.ask(words).await
    }

    /// Returns a policy of the notes, with this account in it.
    fn policy(&self, name: &str) -> Result<Value> {
        let path = self.workspace.policy(&format!("{name}.json"));
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let text = text
            .replace(ACCOUNT_OF_FILES, &self.number)
            .replace(DATABASE_OF_FILES, &self.database);
        serde_json::from_str(&text).with_context(|| format!("{} is not valid JSON", path.display()))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:us-west-2:{}:{resource}", self.number)
    }
}

/// Parses JSON that is embedded in an answer as text.
fn inner(text: &Value) -> Value {
    let parsed = text.as_str().map(serde_json::from_str);
    parsed.and_then(Result::ok).unwrap_or(Value::Null)
}
