//! What the pages made, asked of the account itself, against what must be: `deploy-notes/network.toml`, the policies of
//! `deploy-notes/iam`, and the settings that the pages give reasons for. What the pages say is not asked.

mod alarms;
mod balancers;
mod bucket;
mod database;
mod findings;
mod function;
mod instances;
mod names;
mod network;
mod remains;
mod roles;

use std::{fs, io, path::PathBuf};

use aws_model::network::Network;
use lab_runner::{
    lab::{FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_SECONDS},
    workspace::Workspace,
};
use serde_json::Value;

use self::{findings::Findings, names::Names};
use super::stand_in::{self, StandIn};

/// The accounts, region and bucket of the files; moto's account is another.
const ACCOUNT_OF_FILES: &str = "000000000000";
const BUCKET: &str = "fintech-payment-pipeline";
const FUNCTION: &str = "FinTechTransactionAlert";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    StandIn(#[from] stand_in::Error),
    #[error("{} can't be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is no JSON", path.display())]
    Policy {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Network(#[from] aws_model::network::Error),
}

/// An account, and what must be in it.
#[derive(Debug)]
pub struct Check<'a> {
    account: &'a StandIn,
    workspace: &'a Workspace,
    network: Network,
    number: String,
}

impl<'a> Check<'a> {
    pub async fn of(account: &'a StandIn, workspace: &'a Workspace) -> Result<Self, Error> {
        let path = workspace.root().join("deploy-notes/network.toml");
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
        let caller = account.ask(&["sts", "get-caller-identity"]).await?;
        Ok(Self {
            account,
            workspace,
            network: Network::parse(&text)?,
            number: findings::text(&caller["Account"]),
        })
    }

    /// The network alone; `nat` while the way out is open.
    pub async fn network(&self, nat: bool) -> Result<Vec<String>, Error> {
        let mut network = self.network.clone();
        network.nat_is_on = nat;
        let names = Names::read(self.account).await?;
        let mut findings = Findings::default();
        network::check(self.account, &network, &names, &mut findings).await?;
        Ok(findings.all())
    }

    /// All that the pages made.
    pub async fn everything(&self) -> Result<Vec<String>, Error> {
        let names = Names::read(self.account).await?;
        let mut findings = Findings::default();
        network::check(self.account, &self.network, &names, &mut findings).await?;
        balancers::check(self.account, &names, &mut findings).await?;
        instances::check(self.account, &names, &mut findings).await?;
        database::check(self.account, &names, &mut findings).await?;
        roles::check(self, &mut findings).await?;
        bucket::check(self, &mut findings).await?;
        function::check(self, &names, &mut findings).await?;
        alarms::check(self, &mut findings).await?;
        Ok(findings.all())
    }

    /// What the tear down left.
    pub async fn remains(&self) -> Result<Vec<String>, Error> {
        Ok(remains::list(self.account).await?)
    }

    async fn ask(&self, words: &[&str]) -> Result<Value, Error> {
        Ok(self.account.ask(words).await?)
    }

    /// A policy of the notes, with this account in it.
    fn policy(&self, name: &str) -> Result<Value, Error> {
        let path = self.workspace.policy(&format!("{name}.json"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text.replace(ACCOUNT_OF_FILES, &self.number),
            Err(source) => return Err(Error::Read { path, source }),
        };
        serde_json::from_str(&text).map_err(|source| Error::Policy { path, source })
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:us-west-2:{}:{resource}", self.number)
    }
}

/// JSON that stands as text in an answer.
fn inner(text: &Value) -> Value {
    let parsed = text.as_str().map(serde_json::from_str);
    parsed.and_then(Result::ok).unwrap_or(Value::Null)
}
