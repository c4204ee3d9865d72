//! S3 or the database goes away in the middle of an audit.

use serde_json::Value;
use sqlx::MySqlPool;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout};
use tokio::task::{AbortHandle, JoinSet};

use crate::harness::{HOUR, Pipeline, lines};

/// More than are read at one time, several times over.
const OBJECTS: u32 = 24;

/// Each request takes long enough for the rest of the audit to be still to come when the first finding is told.
const SLOW_MS: u32 = 1000;

/// An ingested journal, of which one row is missing.
async fn damaged(pool: MySqlPool) -> Pipeline {
    let mut pipeline = Pipeline::start(pool).await;
    for number in 10..10 + OBJECTS {
        let id = format!("p{number}");
        let key = format!("{HOUR}{number}.ndjson");
        pipeline.put(&key, &lines(&[&id])).await;
    }
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .admin("DELETE FROM transactions WHERE payment_id = 'p10'")
        .await;
    pipeline.slow_down_s3(SLOW_MS).await;
    // The administrator is never slowed down.
    pipeline.become_shortsighted();
    pipeline
}

/// What an audit says, line by line.
struct Audit {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Audit {
    fn start(pipeline: &Pipeline, command: &str) -> Self {
        let mut process = pipeline.start_payctl(&[command, "--settle", "0", "--json"]);
        let stdout = process.stdout.take().unwrap();
        Self {
            process,
            lines: BufReader::new(stdout).lines(),
        }
    }

    async fn line(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The exit status, and the last line.
    async fn end(mut self) -> (Option<i32>, Value) {
        let mut last = Value::Null;
        while let Some(line) = self.line().await {
            last = line;
        }
        (self.process.wait().await.unwrap().code(), last)
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_audit_that_loses_s3_tells_what_it_found_and_is_not_clean(pool: MySqlPool) {
    let pipeline = damaged(pool).await;
    let mut audit = Audit::start(&pipeline, "verify");
    let first = audit.line().await.unwrap();
    assert_eq!(first["difference"], "row_missing", "{first}");
    pipeline.end_s3().await;
    let (code, summary) = audit.end().await;
    assert_eq!((code, &summary["outcome"]), (Some(2), &"unfinished".into()));
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("objects"), u64::from(OBJECTS), "{summary}");
    assert!(
        count("unread") > 0 && count("differences") == 1,
        "{summary}"
    );
    assert_eq!(count("rows_hashed"), u64::from(OBJECTS) - 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_audit_that_loses_the_database_tells_what_it_found_and_is_not_clean(pool: MySqlPool) {
    let mut pipeline = damaged(pool).await;
    let gate = Gate::before(&pipeline.database()).await;
    pipeline.set("DATABASE_URL", gate.url.clone());
    let mut audit = Audit::start(&pipeline, "verify");
    let first = audit.line().await.unwrap();
    assert_eq!(first["difference"], "row_missing", "{first}");
    gate.close();
    let (code, summary) = audit.end().await;
    assert_eq!((code, &summary["outcome"]), (Some(2), &"unfinished".into()));
    assert_eq!(summary["differences"], 1);
    let gaps = summary["not_covered"].as_array().unwrap();
    for part in ["transactions", "conflicts", "rejects", "hashes"] {
        let names = |gap: &Value| gap.as_str().unwrap().contains(part);
        assert!(gaps.iter().any(names), "{part}: {summary}");
    }
}

/// Stands before the database until it is closed: then nobody is there, as when the server ends.
struct Gate {
    url: String,
    task: AbortHandle,
}

impl Gate {
    async fn before(database: &str) -> Self {
        let mut url = reqwest::Url::parse(database).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port()))
            .unwrap();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&server).await.unwrap();
                connections.spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            url: url.into(),
            task: task.abort_handle(),
        }
    }

    fn close(self) {
        self.task.abort();
    }
}
