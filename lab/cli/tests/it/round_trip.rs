//! One payment through every part, and its repeat.

use std::time::Duration;

use reqwest::StatusCode;

use crate::test_lab::{TestLab, text};

const PAYMENT: &str = r#"{"id": "test123", "transaction": "roundtrip"}"#;

#[tokio::test]
async fn p1_p2_p4_a_payment_becomes_one_row_however_often_it_is_sent() {
    let lab = TestLab::up();
    for part in lab.status() {
        assert_eq!(part.state, "healthy", "{part:?}");
    }

    let first = lab.post(PAYMENT).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    assert_eq!(first.body["id"], "test123");
    assert_eq!(first.body["status"], "accepted");
    assert!(first.body["received_at"].is_string(), "{first:?}");
    assert!(first.body["request_id"].is_string(), "{first:?}");
    assert_eq!(first.header("location"), Some("/pay/test123"));

    let select = "SELECT payment_id, transaction FROM payments.transactions \
                  WHERE payment_id = 'test123'";
    let row = ["test123\troundtrip"];
    lab.until_selected(select, &row, Duration::from_secs(10))
        .await;

    // Each twice, so that both nodes are asked: the one that took it, and the other.
    for _ in 0..2 {
        let again = lab.post(PAYMENT).await;
        assert_eq!(again.status, StatusCode::OK, "{again:?}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body, first.body);
    }
    for _ in 0..2 {
        let other = lab.post(PAYMENT.replace("roundtrip", "another")).await;
        assert_eq!(other.status, StatusCode::CONFLICT, "{other:?}");
        assert_eq!(
            other.header("content-type"),
            Some("application/problem+json")
        );
    }
    assert_eq!(lab.select(select).await, row);
    let shown = text(&lab.run(&["sql", select]));
    assert!(shown.contains("| test123    | roundtrip   |"), "{shown}");

    let processes = lab.processes();
    assert_eq!(processes.len(), 11, "ten parts and their supervisor");
    lab.down();
    for process in processes {
        assert!(!process.is_alive(), "{process:?}");
    }
    assert_eq!(text(&lab.run(&["down"])), "nothing runs\n");
}
