//! Requests that show each rule, and the answer's status and code.

/// One body of `POST /pay`.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    pub name: &'static str,
    pub body: &'static str,
    pub status: u16,
    /// Error code of a refusal.
    pub code: Option<&'static str>,
}

const fn accepted(name: &'static str, body: &'static str) -> Example {
    Example {
        name,
        body,
        status: 202,
        code: None,
    }
}

const fn refused(
    name: &'static str,
    body: &'static str,
    status: u16,
    code: &'static str,
) -> Example {
    Example {
        name,
        body,
        status,
        code: Some(code),
    }
}

pub const PAY: &[Example] = &[
    accepted(
        "The smallest payment",
        r#"{"id": "test123", "transaction": "roundtrip"}"#,
    ),
    accepted(
        "All members",
        r#"{"id": "order-1001", "transaction": "Invoice 1234", "amount": "100.00", "currency": "EUR", "status": "processed", "payer_name": "Jane Doe", "shop": {"till": 7}}"#,
    ),
    accepted(
        "An amount as a number, without an id",
        r#"{"amount": 12.5}"#,
    ),
    accepted(
        "A transaction that failed elsewhere",
        r#"{"id": "order-1002", "amount": "5000", "currency": "JPY", "status": "failed"}"#,
    ),
    refused(
        "More decimals than the currency has",
        r#"{"amount": "1.5", "currency": "JPY"}"#,
        422,
        "invalid_member",
    ),
    refused(
        "A card number",
        r#"{"transaction": "4111 1111 1111 1111"}"#,
        422,
        "card_number",
    ),
    refused("No JSON object", r#"["amount", 1]"#, 400, "malformed_json"),
];

/// A batch, and its answer.
pub const BATCH: [&str; 2] = [
    r#"{"id": "order-1003", "amount": "12.50"}
{"id": "order-1004", "amount": "-1"}"#,
    r#"{"line":1,"id":"order-1003","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4"}
{"line":2,"id":"order-1004","status":"refused","code":"invalid_member","http_status":422,"detail":"amount must be more than 0","member":"amount"}"#,
];
