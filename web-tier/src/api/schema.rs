//! What goes in and out, as JSON Schema.

use payment_core::amount::{SCALE, WHOLE_DIGITS_MAX};
use payment_core::id::ID_BYTES_MAX;
use payment_core::payment::{PAYER_NAME_CHARS_MAX, TRANSACTION_CHARS_MAX};
use payment_core::{Currency, ErrorCode};
use serde_json::{Value, json};

fn currencies() -> Vec<&'static str> {
    Currency::all().map(Currency::code).collect()
}

/// A known member that is null counts as absent.
fn or_null(types: &[&str]) -> Value {
    types.iter().copied().chain(["null"]).collect()
}

pub fn id() -> Value {
    json!({"type": "string", "pattern": "^[.]*[A-Za-z0-9_:-][A-Za-z0-9._:-]*$", "minLength": 1, "maxLength": ID_BYTES_MAX})
}

pub fn payment() -> Value {
    let mut id = id();
    id["type"] = or_null(&["string"]);
    id["description"] = "The idempotency key. Without one, the answer brings a new one.".into();
    let currencies: Value = currencies().into_iter().map(Some).chain([None]).collect();
    let statuses = json!(["processed", "failed", null]);
    let text = |chars: usize| json!({"type": or_null(&["string"]), "maxLength": chars});
    json!({
        "type": "object",
        "description": "Members besides these are kept as they were sent. A card number in any member is refused.",
        "properties": {
            "id": id,
            "transaction": text(TRANSACTION_CHARS_MAX),
            "amount": {
                "description": format!("More than 0, at most {WHOLE_DIGITS_MAX} digits before the point, no more after it than the currency has. Read as a decimal, never as a float."),
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1_000_000_000_000_000_u64},
                    {"type": "string", "pattern": format!(r"^(0|[1-9][0-9]{{0,{}}})([.][0-9]{{1,{SCALE}}}0*)?([eE][+-]?[0-9])?$", WHOLE_DIGITS_MAX - 1)},
                    {"type": "null"},
                ],
            },
            "currency": {"enum": currencies, "description": "ISO 4217; USD where an amount comes without one."},
            "status": {"enum": statuses, "description": "processed, unless it is said that the transaction failed."},
            "payer_name": text(PAYER_NAME_CHARS_MAX),
        },
    })
}

pub fn accepted() -> Value {
    json!({
        "type": "object",
        "required": ["id", "status", "received_at", "request_id", "hash"],
        "properties": {
            "id": id(),
            "status": {"const": "accepted"},
            "received_at": time(),
            "request_id": {"type": "string"},
            "hash": {
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
                "description": "SHA-256 of the payment's canonical form, as its record has it.",
            },
        },
    })
}

/// One line of the answer to a batch.
pub fn outcome() -> Value {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
    let line =
        json!({"type": "integer", "minimum": 1, "description": "The payment's line in the batch."});
    json!({
        "description": "What became of one payment of a batch.",
        "oneOf": [
            {
                "type": "object",
                "required": ["line", "id", "status", "received_at", "request_id"],
                "properties": {
                    "line": line,
                    "id": id(),
                    "status": {"enum": ["accepted", "replayed"]},
                    "received_at": time(),
                    "request_id": {"type": "string"},
                },
            },
            {
                "type": "object",
                "required": ["line", "status", "code", "http_status", "detail"],
                "properties": {
                    "line": line,
                    "id": id(),
                    "status": {"enum": ["refused", "unconfirmed"], "description": "refused: it never becomes a row. unconfirmed: it may have been accepted; send it again under the same id."},
                    "code": {"enum": codes},
                    "http_status": {"type": "integer", "description": "Status of the answer to a single payment."},
                    "detail": {"type": "string"},
                    "member": {"type": "string"},
                    "retry_after": {"type": "integer", "minimum": 0, "description": "Seconds."},
                },
            },
        ],
    })
}

pub fn status() -> Value {
    json!({
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": id(),
            "state": {
                "enum": ["accepted", "recorded", "conflict", "rejected"],
                "description": "accepted: in the log. recorded: a row of the database. conflict: a row, and other content came under the same id. rejected: in the log, and no row yet, because of a fault on our side: it is repaired and recorded under the same id, so do not pay again under another.",
            },
            "transaction": {"type": "string"},
            "amount": {"type": "string"},
            // A row may be older than the list of current codes.
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217; perhaps a code that has been withdrawn since."},
            "status": {"enum": ["processed", "failed"]},
            "received_at": time(),
            "recorded_at": time(),
            "rejected_at": time(),
            "reason": {"type": "string", "description": "Why it was rejected, as a stable word."},
        },
    })
}

pub fn problem() -> Value {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"enum": codes, "description": "Stable: a program may act on it."},
            "detail": {"type": "string", "description": "For people: what is wrong, and what to do."},
            "member": {"type": "string", "description": "The member that is to be corrected."},
            "request_id": {"type": "string"},
        },
    })
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// Name and rule of each member of a payment, for people.
pub fn members() -> Vec<[String; 2]> {
    [
        ("id", format!("1 to {ID_BYTES_MAX} of A-Z a-z 0-9 . _ : - (not only dots) and the idempotency key; the header Idempotency-Key is another way to give it")),
        ("transaction", format!("text of at most {TRANSACTION_CHARS_MAX} characters")),
        ("amount", format!("number or string, more than 0, at most {WHOLE_DIGITS_MAX} digits before the point, no more after it than the currency has")),
        ("currency", "code of ISO 4217; USD where an amount comes without one".to_owned()),
        ("status", "processed (default) or failed".to_owned()),
        ("payer_name", format!("text of at most {PAYER_NAME_CHARS_MAX} characters")),
        ("anything else", "kept as it was sent".to_owned()),
    ]
    .map(|(name, rule)| [name.to_owned(), rule])
    .into()
}
