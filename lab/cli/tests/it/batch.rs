//! Many payments in one request, from the front door to the rows.

use std::{io::Write as _, time::Duration};

use lab_runner::{http, part::PartName};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{
    operator::payctl,
    test_lab::{TestLab, assert_success, text},
};

const ROWS: &str = "SELECT payment_id, amount FROM payments.transactions \
                    WHERE payment_id LIKE 'batch-%' ORDER BY payment_id";

const BATCH: &str = concat!(
    r#"{"id":"batch-1","amount":1}"#,
    "\n",
    r#"{"id":"batch-2","amount":2}"#,
    "\n\n",
    r#"{"id":"batch-1","amount":"1.00"}"#,
    "\n",
    r#"{"id":"batch-1","amount":3}"#,
    "\n",
    r#"{"id":"batch-4","#,
    "\n",
    r#"{"id":"batch-5","note":"4111 1111 1111 1111"}"#,
    "\n",
    r#"{"id":"batch-6","amount":6}"#,
);

/// Line, status and code of each payment.
async fn post(lab: &TestLab, batch: &str) -> Vec<(u64, String, String)> {
    let url = format!("{}/pay", lab.lab.url(PartName::Alb));
    let request = http::client().unwrap().post(url);
    let request = request.header("content-type", "application/x-ndjson");
    let answer = request.body(batch.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.text().await.unwrap();
    assert!(!body.contains("1111"), "{body}");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (line["line"].as_u64().unwrap(), text("status"), text("code"))
    };
    body.lines().map(read).collect()
}

fn told(lines: &[(u64, String, String)]) -> Vec<(u64, &str, &str)> {
    lines
        .iter()
        .map(|(line, status, code)| (*line, status.as_str(), code.as_str()))
        .collect()
}

#[tokio::test]
async fn p2_p6_each_line_of_a_batch_becomes_a_row_or_none() {
    let lab = TestLab::up();
    let rest = [
        (4, "replayed", ""),
        (5, "refused", "id_conflict"),
        (6, "refused", "malformed_json"),
        (7, "refused", "card_number"),
    ];
    let first = post(&lab, BATCH).await;
    let expected = [
        &[(1, "accepted", ""), (2, "accepted", "")][..],
        &rest,
        &[(8, "accepted", "")],
    ];
    assert_eq!(told(&first), expected.concat());
    let rows = ["batch-1\t1.0000", "batch-2\t2.0000", "batch-6\t6.0000"];
    lab.until_selected(ROWS, &rows, Duration::from_secs(30))
        .await;

    // Each twice, so that both nodes are asked: the one that took it, and the other.
    let expected = [
        &[(1, "replayed", ""), (2, "replayed", "")][..],
        &rest,
        &[(8, "replayed", "")],
    ];
    for _ in 0..2 {
        assert_eq!(told(&post(&lab, BATCH).await), expected.concat());
    }

    let mut file = NamedTempFile::new().unwrap();
    for n in 0..1500 {
        writeln!(file, r#"{{"id":"file-{n}","amount":1}}"#).unwrap();
    }
    writeln!(file, r#"{{"id":"batch-2","amount":7}}"#).unwrap();
    let path = file.path().to_str().unwrap();
    for (accepted, replayed) in [("1,500", "0"), ("0", "1,500")] {
        let paid = payctl(&lab, "reader", &["pay", "--file", path]);
        assert_eq!(paid.status.code(), Some(1), "{}", text(&paid));
        let said = text(&paid);
        assert!(
            said.contains("line 1501 (id batch-2): 409 id_conflict"),
            "{said}"
        );
        for (name, count) in [("accepted", accepted), ("replayed", replayed)] {
            let line = said.lines().find(|line| line.starts_with(name)).unwrap();
            assert!(line.ends_with(&format!(" {count}")), "{said}");
        }
    }
    let count = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'file-%'";
    lab.until_selected(count, &["1500"], Duration::from_mins(1))
        .await;
    assert_eq!(lab.select(ROWS).await, rows);
    let reconciled = payctl(&lab, "reader", &["reconcile", "--settle", "0"]);
    assert_success(&reconciled);
}
