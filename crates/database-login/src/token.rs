//! Tokens of RDS IAM authentication: the role logs in, and there is no password to keep.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_clients::aws::NoRegion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_types::region::Region;
use http::Request;
use payment_store::{ConfigError, Database, DriverError, ErrorKind, LoginSource};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use program::Secret;
use program::chain;

use crate::config::LoginTarget;
use crate::sdk::Sdk;

/// How long RDS takes a token for a log-in. A connection that is made goes on.
const VALID: Duration = Duration::from_mins(15);

const SCHEME: &str = "https://";

/// What Signature Version 4 escapes.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Gives each new connection a token of its own.
#[derive(Debug)]
pub struct TokenAccess {
    database: Database,
    host: String,
    port: u16,
    user: String,
    sdk: Sdk,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(transparent)]
    Region(#[from] NoRegion),
    #[error("there are no credentials to sign a token with; give the machine or function a role")]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the token can't be signed")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl TokenAccess {
    /// Fails if the target can't be a database that takes tokens. No token is made yet.
    pub fn new(sdk: Sdk, target: &LoginTarget, user: &str) -> Result<Self, ConfigError> {
        let place = target.place();
        Ok(Self {
            // Said at the start rather than at the first connection, if it may get no token.
            database: target.database(user, "")?.with_iam_token("")?,
            host: place.host.to_owned(),
            port: place.port,
            user: user.to_owned(),
            sdk,
        })
    }

    async fn with_token(&self) -> Result<Database, TokenError> {
        let sdk = self.sdk.config().await?;
        let provider = sdk
            .credentials_provider()
            .ok_or_else(|| TokenError::NoCredentials("no provider is configured".into()))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| TokenError::NoCredentials(error.into()))?;
        let region = sdk.region().ok_or(NoRegion)?;
        let token = self
            .token(credentials, region, SystemTime::now())
            .map_err(TokenError::Signing)?;
        Ok(self.database.with_iam_token(token.expose())?)
    }

    /// A presigned request `connect` of the service rds-db, without its scheme.
    fn token(
        &self,
        credentials: Credentials,
        region: &Region,
        now: SystemTime,
    ) -> Result<Secret, Box<dyn std::error::Error + Send + Sync>> {
        let user = utf8_percent_encode(&self.user, &RESERVED);
        let url = format!(
            "{SCHEME}{}:{}/?Action=connect&DBUser={user}",
            self.host, self.port
        );
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(VALID);
        settings.signature_location = SignatureLocation::QueryParams;
        let identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region.as_ref())
            .name("rds-db")
            .time(now)
            .settings(settings)
            .build()?
            .into();
        let signable = SignableRequest::new("GET", &url, [].into_iter(), SignableBody::Bytes(&[]))?;
        let (instructions, _signature) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::get(&url).body(())?;
        instructions.apply_to_request_http1x(&mut request);
        let signed = request.uri().to_string();
        Ok(Secret::new(signed.trim_start_matches(SCHEME)))
    }
}

#[async_trait]
impl LoginSource for TokenAccess {
    async fn login(&self) -> Result<Database, DriverError> {
        self.with_token()
            .await
            .map_err(|error| DriverError::fault(ErrorKind::NoLogin, &chain(&error)))
    }

    /// The role's credentials may have changed meanwhile, or an idle connection was replaced with an old token.
    async fn rejected(&self, _database: &Database) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
