//! Connections, each made with the login that is right then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, MySql, MySqlConnection, MySqlPool};

use super::{Database, LoginSource, set_session};
use crate::driver::DriverError;

/// Longest wait for a connection of a pool, with making it. Half of what a request may take in all.
const ACQUIRE_TIME_MAX: Duration = Duration::from_secs(3);

/// Longest life of a connection. After a failover the server's name leads to another, and a connection that nobody
/// closed would go on asking the old one.
const CONNECTION_LIFE_MAX: Duration = Duration::from_mins(5);

/// A connection that nobody used for this long is asked whether it lives, which takes a round trip.
const SURELY_ALIVE: Duration = Duration::from_secs(1);

/// SQLSTATE of a refused login (1045, 1698).
const LOGIN_REFUSED: &str = "28000";

/// A bounded number of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    driver: MySqlPool,
    logins: Arc<dyn LoginSource>,
    /// What the driver makes connections with.
    latest: Arc<Mutex<Option<Database>>>,
}

impl Pool {
    /// Creates a pool of at most `size` connections, made when they are first needed.
    pub fn new(logins: Arc<dyn LoginSource>, size: u32) -> Self {
        let driver = MySqlPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(ACQUIRE_TIME_MAX)
            .max_lifetime(CONNECTION_LIFE_MAX)
            .after_connect(|connection, _| Box::pin(set_session(connection)))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| Box::pin(check(connection, meta.idle_for)))
            .connect_lazy_with(MySqlConnectOptions::new());
        Self {
            driver,
            logins,
            latest: Arc::default(),
        }
    }

    /// Returns an idle connection, or a new one. A login that the server refuses is renewed and tried
    /// once more: it was changed while this program ran.
    pub async fn acquire(&self) -> Result<PoolConnection<MySql>, DriverError> {
        let used = self.renew().await?;
        // Boxed, since connecting makes a future of many kilobytes.
        match Box::pin(self.driver.acquire()).await {
            Err(error) if is_login_refused(&error) && self.logins.rejected(&used).await => {
                tracing::info!("the database refused the login; trying the newest one");
                self.adopt(self.logins.login().await?);
                Ok(Box::pin(self.driver.acquire()).await?)
            }
            other => Ok(other?),
        }
    }

    /// Whether the server writes its binary log by statement, which forbids every insert of READ COMMITTED.
    pub async fn logs_by_statement(&self) -> Result<bool, DriverError> {
        const SETTINGS: &str = "SHOW VARIABLES WHERE (Variable_name = 'log_bin' AND Value = 'ON') \
             OR (Variable_name = 'binlog_format' AND Value = 'STATEMENT')";
        let mut connection = self.acquire().await?;
        let both = sqlx::query(SETTINGS).fetch_all(&mut *connection).await?;
        Ok(both.len() == 2)
    }

    /// Updates the login before a connection is made.
    async fn renew(&self) -> Result<Database, DriverError> {
        let will_connect = self.driver.num_idle() == 0
            && self.driver.size() < self.driver.options().get_max_connections();
        match self.latest() {
            Some(latest) if !will_connect => Ok(latest),
            _ => {
                let current = self.logins.login().await?;
                self.adopt(current.clone());
                Ok(current)
            }
        }
    }

    fn latest(&self) -> Option<Database> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    /// The driver keeps a copy, with the whole CA bundle: made only where something changed.
    fn adopt(&self, database: Database) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if !latest.as_ref().is_some_and(|latest| latest.is(&database)) {
            let options = MySqlConnectOptions::clone(&database.options);
            self.driver.set_connect_options(options);
            *latest = Some(database);
        }
    }
}

/// A connection that is gone is replaced by another.
async fn check(connection: &mut MySqlConnection, idle: Duration) -> Result<bool, sqlx::Error> {
    if idle > SURELY_ALIVE {
        connection.ping().await?;
    }
    Ok(true)
}

fn is_login_refused(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|said| said.try_downcast_ref::<MySqlDatabaseError>())
        .is_some_and(|said| said.code() == Some(LOGIN_REFUSED))
}
