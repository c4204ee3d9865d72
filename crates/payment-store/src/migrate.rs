//! Brings the schema up to date.

use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::connect::{ConfigError, Database, LoginSource};
use crate::driver::DriverError;
use crate::error::Error;
use crate::schema::SchemaError;

/// The migrations of this version, in the folder `migrations`.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// A change of a large table takes its time.
const MIGRATE_TIME_MAX: Duration = Duration::from_mins(30);

/// How long to wait, in seconds, for another migration, or for statements that are at work on a table.
const WAIT_SECONDS: u32 = 60;

const TABLE: &str = "_sqlx_migrations";

/// A table, a column, a key or a primary key is there already.
const IS_THERE: [u16; 4] = [1050, 1060, 1061, 1068];

/// What a run of the migrations did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Version and name of the migrations that this run applied; none if there was nothing to do.
    pub applied: Vec<(i64, String)>,
    /// The schema's version now.
    pub version: i64,
}

/// Why the schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the database's address can't be used")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(
        "the server knows no IAM tokens, as only RDS and Aurora do; leave out --iam and set passwords"
    )]
    NoTokens(#[source] DriverError),
    #[error("the schema can't be brought up to date")]
    Database(#[from] Error),
    #[error(
        "another migration has been at work for {WAIT_SECONDS} s; run this again when it is done"
    )]
    Locked,
    #[error(
        "migration {version} stopped half-way, and can't be done again; undo what it made, delete its row from {TABLE}, and run this again"
    )]
    HalfDone {
        version: i64,
        #[source]
        source: DriverError,
    },
    #[error(
        "the database is ahead: it has migration {version}; use the version of this program that brought it"
    )]
    Ahead { version: i64 },
    #[error(
        "migration {version} is not the one that the database has; it was changed after its release"
    )]
    Changed { version: i64 },
    #[error("the migrations can't be run")]
    Other(#[source] sqlx::migrate::MigrateError),
}

/// Runs the migrations that are not applied yet, as the user `migrator`.
pub async fn migrate(migrator: &dyn LoginSource) -> Result<Migrated, MigrateError> {
    let database = migrator.login().await.map_err(Error::from)?;
    tokio::time::timeout(MIGRATE_TIME_MAX, run(&database))
        .await
        .unwrap_or(Err(MigrateError::Database(Error::TimedOut {
            limit: MIGRATE_TIME_MAX,
        })))
}

async fn run(database: &Database) -> Result<Migrated, MigrateError> {
    database.own_schema()?;
    let mut connection = database.connect().await?;
    lock(&mut connection).await?;
    connection.ensure_migrations_table(TABLE).await?;
    let before = connection.list_applied_migrations(TABLE).await?;
    if let Some(version) = connection.dirty_version(TABLE).await? {
        redo(&mut connection, version).await?;
    }
    MIGRATOR.run(&mut connection).await?;
    // This also gives the lock free.
    connection.close().await.map_err(Error::from)?;
    let is_new = |version| before.iter().all(|migration| migration.version != version);
    Ok(Migrated {
        applied: MIGRATOR
            .iter()
            .filter(|migration| is_new(migration.version))
            .map(|migration| (migration.version, migration.description.to_string()))
            .collect(),
        version: MIGRATOR
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0),
    })
}

/// Brings a migration to its end whose program was ended in the middle. Each is one statement that changes a table as a
/// whole or not at all; if the server did it, doing it again fails with what is there already.
async fn redo(connection: &mut MySqlConnection, version: i64) -> Result<(), MigrateError> {
    let Some(migration) = MIGRATOR.iter().find(|one| one.version == version) else {
        return Err(MigrateError::Ahead { version });
    };
    let done = sqlx::raw_sql(migration.sql.clone())
        .execute(&mut *connection)
        .await;
    if let Err(error) = done {
        let source = DriverError::from(error);
        if !source.is_one_of(&IS_THERE) {
            return Err(MigrateError::HalfDone { version, source });
        }
    }
    let sql = format!("UPDATE {TABLE} SET success = TRUE WHERE version = ?");
    let update = sqlx::query(AssertSqlSafe(sql)).bind(version);
    update.execute(connection).await.map_err(Error::from)?;
    Ok(())
}

/// One migration at a time. The driver's own lock is none on MariaDB, which takes its endless wait for an error.
async fn lock(connection: &mut MySqlConnection) -> Result<(), MigrateError> {
    sqlx::query("SET SESSION lock_wait_timeout = ?")
        .bind(WAIT_SECONDS)
        .execute(&mut *connection)
        .await
        .map_err(Error::from)?;
    let locked: Option<i64> = sqlx::query_scalar("SELECT GET_LOCK(SHA2(DATABASE(), 256), ?)")
        .bind(WAIT_SECONDS)
        .fetch_one(connection)
        .await
        .map_err(Error::from)?;
    if locked == Some(1) {
        Ok(())
    } else {
        Err(MigrateError::Locked)
    }
}

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as Driver;
        match error {
            Driver::Execute(error) | Driver::ExecuteMigration(error, _) => {
                Self::Database(error.into())
            }
            Driver::VersionMissing(version) => Self::Ahead { version },
            Driver::VersionMismatch(version) => Self::Changed { version },
            other => Self::Other(other),
        }
    }
}
