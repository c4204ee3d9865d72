//! The database's address, and connections to it.

mod login_source;
mod nodelay;
mod pool;
mod tls;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Executor, MySqlConnection};

pub use self::login_source::LoginSource;
pub use self::pool::Pool;
pub use self::tls::CaBundle;
use crate::error::Error;
use crate::lease::within;
use crate::list::STATEMENTS_CACHED;
use crate::schema::{Schema, SchemaError};

const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// What exactness and liveness depend on, whatever the server's own settings are. Without strict mode,
/// which a parameter group may leave off, the server cuts what does not fit and says nothing.
/// A lock is held as long as one object takes; after 5 s its holder is stuck, and the work is tried again.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION sql_mode = 'TRADITIONAL', SESSION innodb_lock_wait_timeout = 5";

/// A database with a user. Its Debug form shows no password. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    options: Arc<MySqlConnectOptions>,
}

/// The parts of an address.
#[derive(Debug, Clone, Copy)]
pub struct DbAddress<'a> {
    pub host: &'a str,
    pub port: u16,
    pub schema: &'a str,
}

/// Why an address can't be used. No message holds the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the database URL must start with mysql://")]
    NotMySql,
    #[error(
        "the database URL can't be read; percent-encode special characters of user and password"
    )]
    Url(#[source] sqlx::Error),
    #[error("the database URL must name the schema: mysql://user:password@host/payments")]
    NoSchema,
    #[error(
        "ssl-mode must be VERIFY_IDENTITY, or left out, where the database is on another machine"
    )]
    WeakTls,
    #[error("the CA bundle {path} can't be read")]
    CaBundle {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the CA bundle {path} holds no certificate in PEM form")]
    NotACaBundle { path: PathBuf },
    #[error(
        "an IAM token is sent as it is, so it needs a verified TLS connection to another machine"
    )]
    TokenInClear,
}

impl Database {
    /// Reads `mysql://user:password@host:port/schema`. The certificate of a database on another machine is always
    /// verified, against `ca_bundle` (or `ssl-ca` in the URL) and the public roots.
    pub fn parse(url: &str, ca_bundle: Option<&CaBundle>) -> Result<Self, ConfigError> {
        if !url.starts_with("mysql://") {
            return Err(ConfigError::NotMySql);
        }
        let options: MySqlConnectOptions = url.parse().map_err(ConfigError::Url)?;
        if options.get_database().is_none() {
            return Err(ConfigError::NoSchema);
        }
        Self::secured(options, tls::is_named_in(url), ca_bundle)
    }

    pub fn from_parts(
        place: DbAddress<'_>,
        user: &str,
        password: &str,
        ca_bundle: Option<&CaBundle>,
    ) -> Result<Self, ConfigError> {
        let options = MySqlConnectOptions::new()
            .host(place.host)
            .port(place.port)
            .database(place.schema)
            .username(user)
            .password(password);
        Self::secured(options, false, ca_bundle)
    }

    fn secured(
        options: MySqlConnectOptions,
        mode_is_named: bool,
        ca_bundle: Option<&CaBundle>,
    ) -> Result<Self, ConfigError> {
        // URLs write IPv6 addresses in brackets, resolvers don't.
        let host = options.get_host().trim_matches(['[', ']']).to_owned();
        let mut options = options.host(&host);
        let mode = tls::mode(&options, mode_is_named).ok_or(ConfigError::WeakTls)?;
        if let Some(bundle) = ca_bundle {
            options = options.ssl_ca_from_pem(bundle.pem().to_vec());
        }
        let options = options
            .ssl_mode(mode)
            .charset("utf8mb4")
            .timezone("+00:00".to_owned())
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .statement_cache_capacity(STATEMENTS_CACHED)
            .disable_statement_logging();
        Ok(Self::of(options))
    }

    fn of(options: MySqlConnectOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }

    /// The same database with a token of RDS IAM authentication in the password's place. The server asks for it
    /// in clear, which is allowed here alone, and on no connection whose certificate is not verified.
    pub fn with_iam_token(&self, token: &str) -> Result<Self, ConfigError> {
        if tls::is_local(&self.options) {
            return Err(ConfigError::TokenInClear);
        }
        let options = MySqlConnectOptions::clone(&self.options)
            .password(token)
            .enable_cleartext_plugin(true);
        Ok(Self::of(options))
    }

    /// Returns a pool of at most `size` connections, made when they are first needed.
    pub fn pool(&self, size: u32) -> Pool {
        Pool::new(Arc::new(self.clone()), size)
    }

    /// Whether one is a clone of the other.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.options, &other.options)
    }

    /// The schema, if the pipeline's tables may be in it.
    pub(crate) fn own_schema(&self) -> Result<Schema<'_>, SchemaError> {
        Schema::parse(self.options.get_database().unwrap_or_default())
    }

    /// One connection, outside any pool.
    pub(crate) async fn connect(&self) -> Result<MySqlConnection, Error> {
        connect(&self.options).await
    }

    /// One connection, for which the schema need not exist yet.
    pub(crate) async fn connect_outside_the_schema(&self) -> Result<MySqlConnection, Error> {
        // Every server has this one, and everyone may see it.
        let options = MySqlConnectOptions::clone(&self.options).database("information_schema");
        connect(&options).await
    }
}

async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, Error> {
    within(CONNECT_TIME_MAX, async {
        let mut connection = options.connect().await?;
        set_session(&mut connection).await?;
        Ok(connection)
    })
    .await
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("schema", &self.options.get_database())
            .field("user", &self.options.get_username())
            .field("ssl_mode", &self.options.get_ssl_mode())
            .finish_non_exhaustive()
    }
}

async fn set_session(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    nodelay::set().await;
    connection.execute(SESSION).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
