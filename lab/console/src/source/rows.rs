//! The database, asked as the user `reader`.

use std::time::Duration;

use lab_runner::database::User;
use lab_runner::lab::Lab;
use payment_store::{ConfigError, Database, Store};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow};
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{ConnectOptions as _, MySqlPool, Row as _};
use tokio::time::timeout;

use super::{Away, PATIENCE};

/// What a person types in a terminal, and the columns that it shows there.
pub const SELECT: &str = "SELECT * FROM payments.transactions ORDER BY id DESC LIMIT 50";

const NEWEST: &str = "SELECT id, payment_id, transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, \
    received_at FROM payments.transactions ORDER BY id DESC LIMIT 50";

/// The server counts by reading an index from end to end, so it is asked for once.
const COUNT: &str = "SELECT COUNT(*), MAX(id) FROM payments.transactions";

const SINCE: &str = "SELECT COUNT(*), MAX(id), MAX(TIMESTAMPDIFF(MICROSECOND, received_at, recorded_at)) \
    FROM payments.transactions WHERE id > ?";

const CONFLICTS: &str = "SELECT COUNT(*) FROM payments.conflicts";

const CONNECTIONS: u32 = 2;

/// A first count of ten million rows takes seconds.
const COUNT_PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Database(#[from] lab_runner::database::Error),
    #[error("the lab's database has an address that is none")]
    Url(#[from] sqlx::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

#[derive(Debug)]
pub struct Rows {
    pool: MySqlPool,
    pub store: Store,
}

/// A payment as `SELECT *` shows it.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: u64,
    pub payment_id: String,
    pub transaction: Option<String>,
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub status: String,
    pub payer_name: Option<String>,
    pub received_at: String,
}

/// Rows beyond one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Since {
    pub count: u64,
    pub last: u64,
    /// The longest of them, from the answer to the row.
    pub lag: Option<Duration>,
}

impl Rows {
    pub fn of(lab: &Lab) -> Result<Self, ConnectError> {
        let url = lab.database()?.url(User::Reader);
        let options: MySqlConnectOptions = url.expose().parse()?;
        Ok(Self {
            pool: MySqlPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(options.disable_statement_logging()),
            store: Store::new(Database::parse(url.expose(), None)?.pool(CONNECTIONS)),
        })
    }

    pub async fn newest(&self) -> Result<Vec<Row>, Away> {
        let rows = within(PATIENCE, sqlx::query(NEWEST).fetch_all(&self.pool)).await?;
        rows.iter().map(|row| read(row).map_err(away)).collect()
    }

    /// How many there are, and the last one's number.
    pub async fn count(&self) -> Result<Since, Away> {
        let row = within(COUNT_PATIENCE, sqlx::query(COUNT).fetch_one(&self.pool)).await?;
        Ok(Since {
            count: number(&row, 0).map_err(away)?,
            last: row.try_get::<Option<u64>, _>(1).map_err(away)?.unwrap_or(0),
            lag: None,
        })
    }

    pub async fn since(&self, last: u64) -> Result<Since, Away> {
        let row = within(
            PATIENCE,
            sqlx::query(SINCE).bind(last).fetch_one(&self.pool),
        )
        .await?;
        let micros: Option<i64> = row.try_get(2).map_err(away)?;
        Ok(Since {
            count: number(&row, 0).map_err(away)?,
            last: row
                .try_get::<Option<u64>, _>(1)
                .map_err(away)?
                .unwrap_or(last),
            lag: micros.and_then(|micros| Some(Duration::from_micros(micros.try_into().ok()?))),
        })
    }

    pub async fn conflicts(&self) -> Result<u64, Away> {
        let row = within(PATIENCE, sqlx::query(CONFLICTS).fetch_one(&self.pool)).await?;
        number(&row, 0).map_err(away)
    }
}

/// MySQL counts in signed numbers.
fn number(row: &MySqlRow, column: usize) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    Ok(number.try_into().unwrap_or_default())
}

fn read(row: &MySqlRow) -> Result<Row, sqlx::Error> {
    let received_at: PrimitiveDateTime = row.try_get("received_at")?;
    Ok(Row {
        id: row.try_get("id")?,
        payment_id: row.try_get("payment_id")?,
        transaction: row.try_get("transaction")?,
        amount: row.try_get("amount")?,
        currency: row.try_get("currency")?,
        status: row.try_get("status")?,
        payer_name: row.try_get("payer_name")?,
        received_at: crate::text::datetime(received_at.assume_utc()),
    })
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Away> {
    match timeout(patience, work).await {
        Ok(done) => done.map_err(away),
        Err(_) => Err(Away("the database does not answer".to_owned())),
    }
}

fn away(error: sqlx::Error) -> Away {
    match error {
        sqlx::Error::PoolTimedOut => Away("the database can't be reached".to_owned()),
        error => Away(lab_runner::output::chain(&error)),
    }
}
