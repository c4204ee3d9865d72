//! `LOAD DATA LOCAL INFILE`: the fastest way to insert rows that the database itself offers.

use std::{fmt::Write as _, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use tempfile::NamedTempFile;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{finding::a_second, testbed::Testbed};

/// One payment, with all columns that the function fills.
const ROW: &str = "bench\t100.00\tUSD\tprocessed\tJane Doe\t2026-11-22 07:30:00.123456\t{}\t\
     01a20516-cf67-76a5-843b-04c6cb955f81\t\
     0f4a2e5b7c9d1e3f0f4a2e5b7c9d1e3f0f4a2e5b7c9d1e3f0f4a2e5b7c9d1e3f\ttransactions/bench";

/// Loads `files` files of `rows` new rows each into `transactions`, one after the other; returns rows per second,
/// including the client's start.
pub async fn load_data(bed: &Testbed, files: usize, rows: usize) -> Result<f64> {
    let files: Vec<_> = (0..files)
        .map(|_| rows_file(rows))
        .collect::<Result<_, _>>()?;
    // The lab's server refuses local files by default.
    let mut statements = "SET GLOBAL local_infile = ON;".to_owned();
    for file in &files {
        // Writing to a string can't fail.
        let _ = write!(
            statements,
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE payments.transactions (payment_id, transaction, amount, \
             currency, status, payer_name, received_at, extra, request_id, @hash, object_key, object_line) \
             SET content_hash = UNHEX(@hash);",
            file.path().display()
        );
    }
    statements.push_str("SET GLOBAL local_infile = OFF");
    let mut command = bed.lab.database()?.admin().command();
    command
        .args(["--local-infile=1", "--execute", &statements])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let begun = Instant::now();
    let output = command.output().await;
    let output = output.context("LOAD DATA")?;
    let took = begun.elapsed();
    ensure!(
        output.status.success(),
        "LOAD DATA: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(a_second(files.len() * rows, took))
}

fn rows_file(rows: usize) -> Result<NamedTempFile> {
    let mut text = String::with_capacity(rows * 300);
    for line in 1..=rows {
        // Writing to a string can't fail.
        let _ = writeln!(text, "tx_{}\t{ROW}\t{line}", Uuid::now_v7());
    }
    let failed = || format!("cannot write {}", std::env::temp_dir().display());
    let file = NamedTempFile::new().with_context(failed)?;
    std::fs::write(file.path(), text).with_context(failed)?;
    Ok(file)
}
