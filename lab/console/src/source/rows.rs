//! The database, queried as the user `reader`.

use std::time::Duration;

use anyhow::Context as _;
use lab_runner::database::User;
use lab_runner::lab::Lab;
use payment_store::{Database, Store};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow};
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{ConnectOptions as _, MySqlPool, Row as _};

use super::{Away, TIMEOUT, within};

/// The statement that a person types in a terminal, and the columns that it shows.
pub const SELECT: &str = "SELECT * FROM payments.transactions ORDER BY id DESC LIMIT 50";

const NEWEST: &str = "SELECT id, payment_id, transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, \
    received_at FROM payments.transactions ORDER BY id DESC LIMIT 50";

/// The server counts by reading a whole index, so this is run once.
const COUNT: &str = "SELECT COUNT(*), MAX(id) FROM payments.transactions";

const SINCE: &str = "SELECT COUNT(*), MAX(id), MAX(TIMESTAMPDIFF(MICROSECOND, received_at, recorded_at)) \
    FROM payments.transactions WHERE id > ?";

const CONFLICTS: &str = "SELECT COUNT(*) FROM payments.conflicts";

const CONNECTIONS: u32 = 2;

/// Counting ten million rows takes seconds.
const COUNT_TIMEOUT: Duration = Duration::from_mins(1);

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

/// The rows after a given one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Since {
    pub count: u64,
    pub last: u64,
    /// The longest lag among them, from the answer to the row.
    pub lag: Option<Duration>,
}

impl Rows {
    pub fn of(lab: &Lab) -> anyhow::Result<Self> {
        let url = lab.database()?.url(User::Reader);
        let options = url.expose().parse::<MySqlConnectOptions>();
        let options = options.context("the address of the lab's database is invalid")?;
        Ok(Self {
            pool: MySqlPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(TIMEOUT)
                .connect_lazy_with(options.disable_statement_logging()),
            store: Store::new(Database::parse(url.expose(), None)?.pool(CONNECTIONS)),
        })
    }

    pub async fn newest(&self) -> Result<Vec<Row>, Away> {
        let rows = within(TIMEOUT, sqlx::query(NEWEST).fetch_all(&self.pool)).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Returns how many there are, and the number of the last one.
    pub async fn count(&self) -> Result<Since, Away> {
        let row = within(COUNT_TIMEOUT, sqlx::query(COUNT).fetch_one(&self.pool)).await?;
        Ok(Since {
            count: number(&row, 0)?,
            last: row.try_get::<Option<u64>, _>(1)?.unwrap_or(0),
            lag: None,
        })
    }

    pub async fn since(&self, last: u64) -> Result<Since, Away> {
        let row = within(TIMEOUT, sqlx::query(SINCE).bind(last).fetch_one(&self.pool)).await?;
        let micros: Option<i64> = row.try_get(2)?;
        Ok(Since {
            count: number(&row, 0)?,
            last: row.try_get::<Option<u64>, _>(1)?.unwrap_or(last),
            lag: micros.and_then(|micros| Some(Duration::from_micros(micros.try_into().ok()?))),
        })
    }

    pub async fn conflicts(&self) -> Result<u64, Away> {
        let row = within(TIMEOUT, sqlx::query(CONFLICTS).fetch_one(&self.pool)).await?;
        Ok(number(&row, 0)?)
    }
}

/// MySQL counts in signed integers.
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

impl From<sqlx::Error> for Away {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self("the database cannot be reached".to_owned()),
            error => Self(lab_runner::output::chain(&error)),
        }
    }
}
