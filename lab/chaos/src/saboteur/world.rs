//! Bucket and database in the saboteur's hands, and how both are put back as they were.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_s3::Client;
use lab_runner::{
    database::{Client as Database, User},
    environment,
    lab::{BUCKET, Lab},
};
use payment_core::{ObjectKey, chain::ObjectHash, object::read_header};
use tokio::process::Command;

use super::{
    act::{Act, Step, Verified},
    bucket::{self, BucketCopy},
    journal::{Journal, Row},
};

const TABLES: [&str; 4] = ["transactions", "conflicts", "rejects", "ingested_objects"];

pub struct World {
    s3: Client,
    database: Database,
    payctl: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// The columns of each table that can be written, for a list.
    columns: BTreeMap<&'static str, String>,
    /// Where acts are done; `None` until all is kept.
    copy: Option<BucketCopy>,
    /// Bodies and ETags as they are now, of the keys that the act at work touched.
    touched: BTreeMap<String, Option<(String, String)>>,
    /// Tables that the act at work touched.
    changed: BTreeSet<&'static str>,
}

impl World {
    pub fn of(lab: &Lab) -> Result<Self> {
        Ok(Self {
            s3: lab.s3(&lab.credentials.aws.operator),
            database: lab.database()?.admin(),
            payctl: lab.workspace.program("payctl"),
            environment: environment::variables(lab, User::Reader)?,
            columns: BTreeMap::new(),
            copy: None,
            touched: BTreeMap::new(),
            changed: BTreeSet::new(),
        })
    }

    /// Keeps a copy of everything, and returns what there is.
    pub async fn keep(&mut self, lab: &Lab) -> Result<Journal> {
        let kept = self.bodies().await?;
        self.copy = Some(BucketCopy::of(lab).await?);
        let mut copy = "DROP DATABASE IF EXISTS kept; CREATE DATABASE kept;".to_owned();
        for table in TABLES {
            let columns = self.columns_of(table).await?;
            write!(
                copy,
                "CREATE TABLE kept.{table} AS SELECT {columns} FROM payments.{table};"
            )?;
            self.columns.insert(table, columns);
        }
        self.database.query(&copy).await?;
        let key = |(key, body): (String, String)| Some((ObjectKey::parse(&key)?, body));
        let bodies: Vec<_> = kept.into_iter().filter_map(key).collect();
        let rejects = self
            .select("SELECT id, object_key FROM payments.rejects")
            .await?;
        let reject = |line: &Vec<String>| Some((line.first()?.parse().ok()?, line.get(1)?.clone()));
        Ok(Journal::read(
            bodies,
            self.rows("transactions").await?,
            self.rows("conflicts").await?,
            rejects.iter().filter_map(reject).collect(),
        ))
    }

    /// How many objects there are that the ledger does not know.
    pub async fn not_ingested(&self) -> Result<usize> {
        let known = self
            .select("SELECT object_key FROM payments.ingested_objects")
            .await?;
        let known: BTreeSet<_> = known.into_iter().flatten().collect();
        let keys = self.keys().await?;
        Ok(keys.iter().filter(|key| !known.contains(*key)).count())
    }

    /// Writes an object as another system does.
    pub async fn put(&self, key: &str, body: &str) -> Result<()> {
        bucket::put(&self.s3, key, body).await?;
        Ok(())
    }

    /// Does what the act says.
    pub async fn apply(&mut self, act: &Act) -> Result<()> {
        for step in &act.steps {
            match step {
                Step::Put { key, body } => {
                    let etag = self.copy()?.put(key, body).await?;
                    self.touched.insert(key.clone(), Some((body.clone(), etag)));
                }
                Step::Delete(key) => {
                    self.copy()?.delete(key).await?;
                    self.touched.insert(key.clone(), None);
                }
                Step::Sql(statement) => self.sql(statement).await?,
                Step::Vouch(key) => {
                    let [etag, sha256, run, seq] = self.fingerprint(key)?;
                    let columns = format!(
                        "object_etag = {etag}, sha256 = {sha256}, run = {run}, seq = {seq}"
                    );
                    self.sql(&format!(
                        "UPDATE conflicts SET object_etag = {etag} WHERE object_key = '{key}'; \
                         UPDATE rejects SET object_etag = {etag} WHERE object_key = '{key}'; \
                         UPDATE ingested_objects SET {columns} WHERE object_key = '{key}'"
                    ))
                    .await?;
                }
                Step::Enter {
                    key,
                    rows,
                    duplicates,
                } => {
                    let print = self.fingerprint(key)?.join(", ");
                    let lines = rows + duplicates;
                    self.sql(&format!(
                        "INSERT INTO ingested_objects (object_key, object_etag, sha256, run, seq, line_count, row_count, \
                         duplicate_count, conflict_count, reject_count) \
                         VALUES ('{key}', {print}, {lines}, {rows}, {duplicates}, 0, 0)"
                    ))
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// Puts everything back that was touched since the last time.
    pub async fn restore(&mut self, lab: &Lab) -> Result<()> {
        if !std::mem::take(&mut self.touched).is_empty() {
            if let Some(copy) = self.copy.take() {
                copy.end().await;
            }
            self.copy = Some(BucketCopy::of(lab).await?);
        }
        let mut statements = "START TRANSACTION;".to_owned();
        for table in std::mem::take(&mut self.changed) {
            let columns = &self.columns[table];
            write!(
                statements,
                "DELETE FROM payments.{table}; \
                 INSERT INTO payments.{table} ({columns}) SELECT {columns} FROM kept.{table};"
            )?;
        }
        statements.push_str("COMMIT");
        self.database.query(&statements).await?;
        Ok(())
    }

    pub async fn verify(&self) -> Result<Verified> {
        let mut command = Command::new(&self.payctl);
        command.args(["verify", "--json", "--settle", "0"]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("AWS_ENDPOINT_URL_S3", self.copy()?.url());
        let output = command.stdin(Stdio::null()).output().await;
        let output = output.with_context(|| format!("cannot run {}", self.payctl.display()))?;
        let texts = [output.stdout, output.stderr];
        let printed = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Verified {
            status: output.status.code(),
            printed: printed.concat(),
        })
    }

    /// ETag, SHA-256, run and number of an object as it is now, in SQL.
    fn fingerprint(&self, key: &str) -> Result<[String; 4]> {
        let now = self.touched.get(key).and_then(Option::as_ref);
        let (body, etag) = now.with_context(|| format!("{key} was not written"))?;
        let header = ObjectKey::parse(key).and_then(|key| read_header(&key, body.as_bytes()));
        let (run, seq) = header.map_or_else(
            || ("NULL".to_owned(), "NULL".to_owned()),
            |header| (format!("'{}'", header.run), header.seq.to_string()),
        );
        let sha256 = ObjectHash::of(body.as_bytes());
        Ok([format!("'{etag}'"), format!("X'{sha256}'"), run, seq])
    }

    fn copy(&self) -> Result<&BucketCopy> {
        self.copy.as_ref().context("nothing was kept yet")
    }

    async fn sql(&mut self, statement: &str) -> Result<()> {
        let touched = TABLES.iter().filter(|table| statement.contains(**table));
        self.changed.extend(touched);
        let statements = format!("USE payments; {statement}");
        let done = self.database.query(&statements).await;
        done.with_context(|| statement.to_owned())?;
        Ok(())
    }

    async fn select(&self, select: &str) -> Result<Vec<Vec<String>>> {
        let printed = self.database.query(select).await?;
        let cells = |line: &str| line.split('\t').map(str::to_owned).collect();
        Ok(printed.lines().map(cells).collect())
    }

    async fn rows(&self, table: &str) -> Result<Vec<Row>> {
        let select = format!(
            "SELECT id, client, payment_id, object_key, amount IS NOT NULL FROM payments.{table} ORDER BY id"
        );
        let read = |cells: &Vec<String>| {
            let [id, client, payment_id, object_key, has_amount] = cells.as_slice() else {
                return None;
            };
            Some(Row {
                id: id.parse().ok()?,
                client: client.clone(),
                payment_id: payment_id.clone(),
                object_key: object_key.clone(),
                has_amount: has_amount == "1",
            })
        };
        let cells = self.select(&select).await?;
        let rows: Vec<_> = cells.iter().filter_map(read).collect();
        ensure!(
            rows.len() == cells.len(),
            "rows of {table} are not understood"
        );
        Ok(rows)
    }

    async fn columns_of(&self, table: &str) -> Result<String> {
        let select = format!(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'payments' \
             AND table_name = '{table}' AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position"
        );
        let names = self.select(&select).await?;
        let names: Vec<_> = names.into_iter().flatten().collect();
        Ok(names.join(", "))
    }

    async fn keys(&self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut pages = self
            .s3
            .list_objects_v2()
            .bucket(BUCKET)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.context("cannot list the bucket")?;
            let listed = page.contents().iter();
            keys.extend(listed.filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    async fn bodies(&self) -> Result<BTreeMap<String, String>> {
        let mut bodies = BTreeMap::new();
        for key in self.keys().await? {
            let object = self.s3.get_object().bucket(BUCKET).key(&key).send().await;
            let body = object
                .context("cannot read an object")?
                .body
                .collect()
                .await?;
            let text = String::from_utf8(body.to_vec());
            bodies.insert(key, text.context("an object of the lab is text")?);
        }
        Ok(bodies)
    }
}
