//! Card numbers are never stored or logged.

use std::{fs, path::Path};

use reqwest::StatusCode;

use crate::test_lab::TestLab;

/// The card schemes' test number, as people write it.
const WRITTEN: [&str; 2] = ["4111 1111 1111 1111", "4111111111111111"];

const PAYMENTS: [&str; 8] = [
    r#"{"id": "4111111111111111"}"#,
    r#"{"id": "card-1", "transaction": "4111 1111 1111 1111"}"#,
    r#"{"id": "card-2", "transaction": "paid with 4111111111111111 today"}"#,
    r#"{"id": "card-3", "payer_name": "4111 1111 1111 1111"}"#,
    r#"{"id": "card-4", "note": "4111 1111 1111 1111"}"#,
    r#"{"id": "card-5", "nested": {"deep": ["4111111111111111"]}}"#,
    r#"{"id": "card-6", "number": 4111111111111111}"#,
    r#"{"id": "card-7", "amount": 4111111111111111}"#,
];

#[tokio::test]
async fn p8_a_card_number_is_refused_and_written_nowhere() {
    let lab = TestLab::up();
    for payment in PAYMENTS {
        let answer = lab.post(payment).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{payment}: {answer:?}"
        );
        let body = answer.body.to_string();
        assert!(
            !WRITTEN.iter().any(|number| body.contains(number)),
            "{body}"
        );
    }
    let rows = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id NOT LIKE 'lab-%'";
    assert_eq!(lab.select(rows).await, ["0"]);

    lab.down();
    // Logs, objects, database files: everything that the lab has.
    assert_nowhere_under(lab.dir());
}

fn assert_nowhere_under(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let name = path.to_string_lossy().into_owned();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_nowhere_under(&path);
        }
        let content = if kind.is_file() {
            fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        for number in WRITTEN {
            assert!(!name.contains(number), "the name {name}");
            let found = content
                .windows(number.len())
                .any(|bytes| bytes == number.as_bytes());
            assert!(!found, "{name} holds {number}");
        }
    }
}
