//! The row has exactly what the client sent.

use std::time::Duration;

use reqwest::StatusCode;

use crate::test_lab::TestLab;

/// Amount as sent, currency, and the amount as the column with four decimals prints it.
const EXACT: [(&str, &str, &str); 8] = [
    ("0.1", "USD", "0.1000"),
    (r#""100.00""#, "USD", "100.0000"),
    ("100.0", "USD", "100.0000"),
    ("99999999999999.99", "USD", "99999999999999.9900"),
    (r#""999999999999999.99""#, "USD", "999999999999999.9900"),
    ("0.01", "EUR", "0.0100"),
    ("1.234", "KWD", "1.2340"),
    ("5000", "JPY", "5000.0000"),
];

/// More decimals than the currency has, too many digits, zero, negative, not a number.
const REFUSED: [(&str, &str); 7] = [
    (r#""99999999999999.9999""#, "USD"),
    ("0.001", "USD"),
    ("1.5", "JPY"),
    ("1000000000000000", "USD"),
    ("0", "USD"),
    ("-1", "USD"),
    (r#""ten""#, "USD"),
];

fn payment(id: &str, amount: &str, currency: &str) -> String {
    format!(r#"{{"id": "{id}", "amount": {amount}, "currency": "{currency}"}}"#)
}

#[tokio::test]
async fn p3_p6_amounts_arrive_to_the_last_digit_or_are_refused() {
    let lab = TestLab::up();

    let mut expected = Vec::new();
    for (number, (amount, currency, row)) in EXACT.iter().enumerate() {
        let id = format!("exact-{number}");
        let answer = lab.post(payment(&id, amount, currency)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{amount}: {answer:?}");
        expected.push(format!("{id}\t{row}\t{currency}"));
    }
    for (number, (amount, currency)) in REFUSED.iter().enumerate() {
        let id = format!("refused-{number}");
        let answer = lab.post(payment(&id, amount, currency)).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{amount}: {answer:?}"
        );
        assert!(answer.body.to_string().contains("amount"), "{answer:?}");
    }

    let select = "SELECT payment_id, amount, currency FROM payments.transactions \
                  WHERE payment_id NOT LIKE 'lab-%' ORDER BY payment_id";
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    lab.until_selected(select, &expected, Duration::from_secs(10))
        .await;
}
