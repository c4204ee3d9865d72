//! Logins that may change while a program runs.

use std::fmt;

use async_trait::async_trait;

use super::Database;
use crate::driver::DriverError;

/// What a connection that is made now logs in with.
#[async_trait]
pub trait LoginSource: fmt::Debug + Send + Sync {
    /// Asked before a connection is made, not for one that is there.
    async fn login(&self) -> Result<Database, DriverError>;

    /// The server refused this one. Whether [`LoginSource::login`] may now give another.
    async fn rejected(&self, database: &Database) -> bool;
}

/// A login that stays as it is.
#[async_trait]
impl LoginSource for Database {
    async fn login(&self) -> Result<Database, DriverError> {
        Ok(self.clone())
    }

    async fn rejected(&self, _database: &Database) -> bool {
        false
    }
}
