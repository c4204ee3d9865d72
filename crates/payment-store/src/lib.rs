//! Payments in MySQL and MariaDB: the schema, the insert, the look-ups.
//!
//! Owns every SQL statement of the system, and what "the same payment twice" comes to in the database.
//! It knows nothing of S3, HTTP or Lambda: its callers hand it lines of the log and ask for rows.
//!
//! - [`connect`]: the database's address, how the connection is secured, the pool, and logins that change.
//! - [`migrate`](mod@migrate): brings the schema up to date.
//! - [`users`]: who the pipeline's users are and what they may do, for an administrator.
//! - [`ingest`]: one object of the log becomes rows, conflicts and rejects, in one transaction.
//! - `sweep`: how far the sweep of the journal got.
//! - [`lookup`]: what became of a payment or an object.
//! - [`audit`]: the ledger and the rows, to hold them against the log.
//! - `shape`: whether the tables still take what is written.
//! - [`query`]: statements of a person, who may only read.
//! - [`backend`]: what these two ask of a database; `mysql` is the SQL that answers.
//!
//! One set of SQL serves MySQL 8.4 and 9.x and MariaDB 10.11 and later: no RETURNING, no row alias, nothing that
//! one of them does not have. Nothing here overrides strict mode or changes a row: no INSERT IGNORE, REPLACE,
//! ON DUPLICATE KEY UPDATE, UPDATE or DELETE.
//!
//! A new column is a new file in `migrations/`, nullable, so that the older program goes on; then it is written in
//! `mysql/payments.rs` and read in `mysql/select.rs`. A file that was released is never changed.

pub mod audit;
pub mod backend;
pub mod connect;
mod driver;
pub mod error;
mod fingerprint;
pub mod ingest;
mod lease;
mod list;
pub mod lookup;
pub mod migrate;
mod mysql;
pub mod query;
mod retry;
mod schema;
mod shape;
mod sweep;
pub mod users;
mod version;

pub use backend::Backend;
pub use connect::{CaBundle, ConfigError, Database, DbAddress, LoginSource, Pool};
pub use driver::{DriverError, ErrorKind};
pub use error::{Error, TlsFault};
pub use fingerprint::Fingerprint;
pub use ingest::{Outcome, Part, Parts};
pub use lookup::{Found, Holder, Rejection};
pub use migrate::{MIGRATOR, MigrateError, Migrated, migrate};
pub use mysql::{MySqlBackend, MySqlSession};
pub use schema::{Schema, SchemaError};
pub use shape::WrongColumn;
pub use sweep::Deferred;

/// The recorded payments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store<B = MySqlBackend> {
    backend: B,
}

impl Store {
    /// Over a pool of [`Database::pool`], which sets what exactness depends on.
    pub fn new(pool: Pool) -> Self {
        Self::over(MySqlBackend::new(pool))
    }
}

impl<B: Backend> Store<B> {
    pub fn over(backend: B) -> Self {
        Self { backend }
    }
}
