//! What people read of a refusal.

use payment_core::ErrorCode;

pub const NOT_KNOWN: &str = "It is not known whether your payment was made";

/// What to do then.
pub const ASK: &str = "Ask whether it was made";

/// What went wrong, for somebody who knows nothing of bodies and headers.
pub fn of(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::MalformedJson | ErrorCode::UnsupportedMediaType | ErrorCode::IdMismatch => {
            "The form arrived in a shape that can't be read. Open the pay page, and fill it in once more."
        }
        ErrorCode::Unauthenticated => {
            "This server takes payments only from callers that it knows, and did not recognise this one."
        }
        ErrorCode::NotAllowed => {
            "It was sent by a page of another site. Open the pay page itself, and pay there."
        }
        ErrorCode::NotFound => "There is nothing at this address.",
        ErrorCode::MethodNotAllowed => "This address does not take what was sent.",
        ErrorCode::RequestTimeout => "The connection is too slow: the form did not arrive in time.",
        ErrorCode::IdConflict => "Another payment was made before under the same number.",
        ErrorCode::BodyTooLarge => "There is too much text in the form. Shorten it.",
        ErrorCode::InvalidMember => "Something in the form is not right.",
        ErrorCode::CardNumber => "This looks like a card number. Never enter one here.",
        ErrorCode::RateLimited => {
            "Too many payments are coming from here. Wait a moment, and send it again."
        }
        ErrorCode::Internal => "Something broke on our side.",
        ErrorCode::UpstreamFailed => "A server did not answer.",
        ErrorCode::UpstreamTimeout => "A server is slow to answer.",
        ErrorCode::Overloaded => "Many people are paying right now.",
        ErrorCode::Draining => "A server is being replaced.",
        ErrorCode::StorageUnavailable => "Payments can't be stored right now.",
        ErrorCode::StatusUnavailable => "What became of payments can't be read right now.",
    }
}

/// The form's label of each member.
const LABELS: [(&str, &str); 4] = [
    ("amount", "Amount"),
    ("currency", "Currency"),
    ("payer_name", "Your name"),
    ("transaction", "What it is for"),
];

/// What is wrong with a field, by its label: the server's own words start with the member's name.
pub fn of_field(code: ErrorCode, detail: &str) -> String {
    if code != ErrorCode::InvalidMember {
        return of(code).to_owned();
    }
    let labelled = LABELS.iter().find_map(|(member, label)| {
        let rest = detail.strip_prefix(member)?;
        rest.starts_with(' ').then(|| format!("{label}{rest}"))
    });
    labelled.unwrap_or_else(|| detail.to_owned())
}

/// Whether a payment may have been taken, though its answer has this code: each 5xx may hide a try that arrived, and
/// "too slow" or "too many" may be said to a repeat by the browser.
pub fn may_have_been_taken(code: ErrorCode) -> bool {
    matches!(code.status(), 408 | 429 | 500..)
}
