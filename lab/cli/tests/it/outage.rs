//! While the database is down, payments are still accepted.

use std::time::Duration;

use reqwest::StatusCode;

use crate::test_lab::TestLab;

const PAYMENTS: u32 = 40;

/// The sweep, once a minute, makes up for an event that was given up.
const ARRIVAL: Duration = Duration::from_secs(150);

#[tokio::test]
async fn p2_p5_payments_sent_while_the_database_dies_arrive_once_each() {
    let lab = TestLab::up();
    for number in 0..PAYMENTS {
        if number % 5 == 0 {
            // Fails if the previous kill is still in progress: the database is down in any case.
            lab.run(&["kill", "mysql"]);
        }
        let answer = lab.post(format!(r#"{{"id": "outage-{number}"}}"#)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{number}: {answer:?}");
    }
    let select = "SELECT COUNT(*), COUNT(DISTINCT payment_id) FROM payments.transactions \
                  WHERE payment_id LIKE 'outage-%'";
    let rows = format!("{PAYMENTS}\t{PAYMENTS}");
    lab.until_selected(select, &[&rows], ARRIVAL).await;
}
