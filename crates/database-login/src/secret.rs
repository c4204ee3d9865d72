//! A login that is kept in AWS Secrets Manager, which may change it while a program runs.

use std::sync::Arc;

use async_trait::async_trait;
use aws_clients::aws::NoRegion;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Builder, Region};
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use payment_store::{ConfigError, Database, DriverError, ErrorKind, LoginSource};
use program::chain;
use tokio::sync::Mutex;

use crate::arn::SecretArn;
use crate::config::LoginTarget;
use crate::content::Content;
use crate::sdk::Sdk;

/// The secret's user and password, read when the first connection is made, and again if the server refuses them.
#[derive(Debug)]
pub struct SecretAccess(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    arn: SecretArn,
    target: LoginTarget,
    sdk: Sdk,
    /// Held while the secret is read, so that it is read once for all who wait.
    known: Mutex<Option<Database>>,
}

/// Why the secret gives no login. No text holds anything of its content.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Region(#[from] NoRegion),
    #[error(
        "Secrets Manager can't be reached; in a VPC without a way out it needs an interface endpoint: {0}"
    )]
    Unreachable(String),
    #[error(
        "the role may not read it; allow secretsmanager:GetSecretValue on it, and kms:Decrypt where it has a key of its own: {0}"
    )]
    Denied(String),
    #[error("it is not there; check DB_SECRET_ARN: {0}")]
    Missing(String),
    #[error("Secrets Manager answers {0}")]
    Service(String),
    #[error(
        "it is not of the form that RDS gives a secret; it must be JSON with username and password"
    )]
    Content,
    #[error("it names no host; set DB_HOST")]
    NoHost,
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl SecretAccess {
    pub fn new(sdk: Sdk, arn: SecretArn, target: LoginTarget) -> Self {
        Self(Arc::new(Shared {
            arn,
            target,
            sdk,
            known: Mutex::default(),
        }))
    }
}

#[async_trait]
impl LoginSource for SecretAccess {
    async fn login(&self) -> Result<Database, DriverError> {
        let shared = Arc::clone(&self.0);
        // A task of its own: a caller who waits no longer does not undo the reading for the next.
        let read = tokio::spawn(async move { shared.login().await });
        read.await
            .unwrap_or_else(|error| Err(DriverError::fault(ErrorKind::NoLogin, &chain(&error))))
    }

    /// Forgets the login, unless another caller did so before.
    async fn rejected(&self, database: &Database) -> bool {
        let mut known = self.0.known.lock().await;
        if known.as_ref().is_some_and(|known| known.is(database)) {
            *known = None;
        }
        true
    }
}

impl Shared {
    async fn login(&self) -> Result<Database, DriverError> {
        let mut known = self.known.lock().await;
        if let Some(database) = known.as_ref() {
            return Ok(database.clone());
        }
        let database = self.read().await.map_err(|error| {
            let text = format!("the secret {}: {}", self.arn, chain(&error));
            DriverError::fault(error.kind(), &text)
        })?;
        tracing::info!(secret = %self.arn, "read the database's login");
        *known = Some(database.clone());
        Ok(database)
    }

    async fn read(&self) -> Result<Database, ReadError> {
        let sdk = self.sdk.config().await?;
        let region = Region::new(self.arn.region().to_owned());
        let client = Client::from_conf(Builder::from(sdk).region(region).build());
        let request = client.get_secret_value().secret_id(self.arn.as_str());
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let content = content(&answer).ok_or(ReadError::Content)?;
        let target = LoginTarget {
            host: self.target.host.clone().or(content.host),
            port: self.target.port.or(content.port),
            schema: self.target.schema.clone().or(content.schema),
            ca_bundle: self.target.ca_bundle.clone(),
        };
        if target.host.is_none() {
            return Err(ReadError::NoHost);
        }
        Ok(target.database(&content.user, content.password.expose())?)
    }
}

fn content(answer: &GetSecretValueOutput) -> Option<Content> {
    Content::parse(answer.secret_string()?)
}

/// An answer that can't be read is not shown: it may be the secret.
fn failed(error: &SdkError<GetSecretValueError>) -> ReadError {
    let text = || {
        let (code, message) = (error.code(), error.message());
        format!(
            "{}: {}",
            code.unwrap_or("no code"),
            message.unwrap_or("no message")
        )
    };
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => {
            ReadError::Unreachable(chain(error))
        }
        SdkError::ServiceError(said) if said.err().is_resource_not_found_exception() => {
            ReadError::Missing(text())
        }
        SdkError::ServiceError(said)
            if said.err().is_decryption_failure()
                || error.code() == Some("AccessDeniedException") =>
        {
            ReadError::Denied(text())
        }
        SdkError::ServiceError(_) => ReadError::Service(text()),
        _ => ReadError::Service("nothing that can be read".to_owned()),
    }
}

impl ReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable(_) | Self::Service(_) => ErrorKind::Transient,
            Self::Region(_)
            | Self::Denied(_)
            | Self::Missing(_)
            | Self::Content
            | Self::NoHost
            | Self::Config(_) => ErrorKind::NoLogin,
        }
    }
}
