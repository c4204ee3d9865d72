//! Compares the database at the end with the history of attempts.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use lab_runner::{database::User, lab::Lab, secret::Secret};
use sqlx::{
    Connection as _, MySqlConnection, Row as _, mysql::MySqlRow, types::time::PrimitiveDateTime,
};
use verdict::{Answer, Attempt, Content, Judge, Row, Verdict};

use super::history;

const ROWS: &str = "SELECT client, payment_id, transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, \
    extra, received_at, recorded_at, object_key, object_line FROM transactions";

const CONFLICTS: &str = "SELECT client, payment_id, transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, \
    extra, received_at, recorded_at, object_key, object_line FROM conflicts";

const UNREADABLE: &str = "cannot read from the database";

#[derive(Debug)]
pub struct Evidence {
    url: Secret,
    /// Rows that existed before the run, which are ignored.
    before: HashSet<(String, String)>,
}

impl Evidence {
    pub async fn begin(lab: &Lab) -> Result<Self> {
        let url = lab.database()?.url(User::Reader);
        let mut connection = connect(&url).await?;
        let before = sqlx::query_as("SELECT client, payment_id FROM transactions")
            .fetch_all(&mut connection)
            .await
            .context(UNREADABLE)?;
        Ok(Self {
            url,
            before: before.into_iter().collect(),
        })
    }

    /// Judges the whole history against the current tables.
    pub async fn judge(&self, path: &Path) -> Result<Verdict> {
        let mut judge = Judge::new();
        // Payments whose id the server made but never told: identified by their client and transaction, which is unique.
        let mut untold: HashMap<(String, String), Attempt> = HashMap::new();
        history::read(path, |attempt| {
            let transaction = attempt
                .client
                .clone()
                .zip(attempt.content.transaction.clone());
            match (attempt.id.is_empty(), &attempt.answer, transaction) {
                (false, _, _) => judge.attempt(&attempt),
                (true, Answer::Failed { .. } | Answer::NoAnswer, Some(transaction)) => {
                    untold.insert(transaction, attempt);
                }
                // Refused before it had an id.
                (true, _, _) => judge.attempt(&attempt),
            }
        })?;
        let mut connection = connect(&self.url).await?;
        let rows = sqlx::query(ROWS).fetch(&mut connection);
        let judge_row = |judge: &mut Judge, row: Row| {
            let transaction = row.content.transaction.clone().unwrap_or_default();
            if let Some(attempt) = untold.remove(&(row.client.clone(), transaction)) {
                let id = row.id.clone();
                judge.attempt(&Attempt { id, ..attempt });
            }
            judge.row(row);
        };
        self.each(rows, &mut judge, judge_row).await?;
        let conflicts = sqlx::query(CONFLICTS).fetch(&mut connection);
        self.each(conflicts, &mut judge, Judge::conflict).await?;
        Ok(judge.verdict())
    }

    async fn each(
        &self,
        mut rows: impl futures::Stream<Item = Result<MySqlRow, sqlx::Error>> + Unpin,
        judge: &mut Judge,
        mut take: impl FnMut(&mut Judge, Row),
    ) -> Result<()> {
        while let Some(row) = rows.try_next().await.context(UNREADABLE)? {
            let row = read(&row).context(UNREADABLE)?;
            let name = (row.client.clone(), row.id.clone());
            if !self.before.contains(&name) {
                take(judge, row);
            }
        }
        Ok(())
    }
}

async fn connect(url: &Secret) -> Result<MySqlConnection> {
    MySqlConnection::connect(url.expose())
        .await
        .context(UNREADABLE)
}

fn read(row: &MySqlRow) -> Result<Row, sqlx::Error> {
    let received_at: PrimitiveDateTime = row.try_get("received_at")?;
    let recorded_at: PrimitiveDateTime = row.try_get("recorded_at")?;
    let recorded_ms = recorded_at.assume_utc().unix_timestamp_nanos() / 1_000_000;
    Ok(Row {
        client: row.try_get("client")?,
        id: row.try_get("payment_id")?,
        content: Content {
            transaction: row.try_get("transaction")?,
            amount: row.try_get("amount")?,
            currency: row.try_get("currency")?,
            status: row.try_get("status")?,
            payer_name: row.try_get("payer_name")?,
            extra: row.try_get("extra")?,
        },
        received_at: received_at.to_string(),
        recorded_ms: u64::try_from(recorded_ms).ok(),
        object_key: row.try_get("object_key")?,
        object_line: row.try_get("object_line")?,
    })
}
