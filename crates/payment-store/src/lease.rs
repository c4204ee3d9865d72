//! Connections on loan, and work within a bounded time.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{MySql, MySqlConnection};

use crate::connect::Pool;
use crate::driver::DriverError;
use crate::error::Error;

/// A connection that goes back to the pool only if its work was completed. Work that was cut off, by a
/// time limit or by a caller who waits no longer, may have left half an answer on the wire: then the connection
/// is closed, and the server rolls back.
#[derive(Debug)]
pub(crate) struct Lease(Option<PoolConnection<MySql>>);

impl Lease {
    pub async fn take(pool: &Pool) -> Result<Self, DriverError> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    pub fn connection(&mut self) -> Result<&mut MySqlConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    pub fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(Error::TimedOut { limit }))
}
