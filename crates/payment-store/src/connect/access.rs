//! Logins that may change while a program runs.

use std::fmt;

use async_trait::async_trait;

use super::Database;
use crate::driver::DriverError;

/// What a connection that is made now logs in with.
#[async_trait]
pub trait Access: fmt::Debug + Send + Sync {
    /// Asked before a connection is made, not for one that is there.
    async fn current(&self) -> Result<Database, DriverError>;

    /// The server refused this one. Whether [`Access::current`] may now give another.
    async fn refused(&self, database: &Database) -> bool;
}

/// A login that stays as it is.
#[async_trait]
impl Access for Database {
    async fn current(&self) -> Result<Database, DriverError> {
        Ok(self.clone())
    }

    async fn refused(&self, _database: &Database) -> bool {
        false
    }
}
