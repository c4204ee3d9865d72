//! A payment, and how a request's body becomes one.

mod content;

use std::borrow::Cow;

pub(crate) use self::content::{Content, known_name};
use crate::amount::{Amount, AmountError, Currency};
use crate::card::{self, CardCheck};
use crate::client::{ClientName, PaymentKey};
use crate::error::ErrorCode;
use crate::id::{ID_BYTES_MAX, PaymentId};
use crate::json::{self, DEPTH_MAX, Json, JsonError, Members};

/// Characters (Unicode scalar values) in `transaction`: the width of its column.
pub const TRANSACTION_CHARS_MAX: usize = 255;

/// Characters in `payer_name`: the width of its column.
pub const PAYER_NAME_CHARS_MAX: usize = 100;

/// Largest body of one payment, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// What the client says became of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    #[default]
    Processed,
    /// The transaction itself failed elsewhere. It is stored like any other and raises the alert.
    Failed,
}

/// A payment that keeps every rule, and whose it is. Two payments are the same when their [`crate::ContentHash`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub(crate) key: PaymentKey,
    pub(crate) content: Content,
}

/// A payment whose id is still to be settled: the client may give it in the body, in a header, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    id: Option<PaymentId>,
    content: Content,
}

/// Why a body is no payment. No message holds anything that was sent, so each may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    #[error("the payment {0}")]
    Json(JsonError),
    #[error("the payment is not UTF-8")]
    NotUtf8,
    #[error("id {ID_RULE}")]
    Id,
    #[error("the header Idempotency-Key {ID_RULE}")]
    IdempotencyKey,
    #[error("id is required for each payment of a batch, so that the batch is safe to repeat")]
    NoId,
    #[error(
        "the member id and the header Idempotency-Key differ; give one of them, or the same in both"
    )]
    IdMismatch,
    #[error("{member} must be a string")]
    NotAString { member: &'static str },
    #[error("{member} must have at most {chars_max} characters")]
    TooLong {
        member: &'static str,
        chars_max: usize,
    },
    #[error("amount {0}")]
    Amount(AmountError),
    #[error("currency must be a code of ISO 4217 in capital letters, such as USD")]
    Currency,
    #[error("status must be \"processed\" or \"failed\"")]
    Status,
    #[error("{member} holds a card number; send a token of your card processor instead")]
    CardNumber { member: &'static str },
}

const ID_RULE: &str = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -, not only dots";
const _: () = assert!(ID_BYTES_MAX == 64, "ID_RULE names the length");

impl PaymentError {
    /// Returns the code that a client acts on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Json(JsonError::TooDeep { .. }) => ErrorCode::InvalidMember,
            Self::Json(_) | Self::NotUtf8 => ErrorCode::MalformedJson,
            Self::IdMismatch => ErrorCode::IdMismatch,
            Self::CardNumber { .. } => ErrorCode::CardNumber,
            Self::Id
            | Self::IdempotencyKey
            | Self::NoId
            | Self::NotAString { .. }
            | Self::TooLong { .. }
            | Self::Amount(_)
            | Self::Currency
            | Self::Status => ErrorCode::InvalidMember,
        }
    }

    /// The member that must be corrected. Members with names of the client's own are `extra`, since a name
    /// could itself hold what must not be repeated.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            Self::Json(_) | Self::NotUtf8 | Self::IdempotencyKey | Self::IdMismatch => None,
            Self::Id | Self::NoId => Some("id"),
            Self::NotAString { member }
            | Self::TooLong { member, .. }
            | Self::CardNumber { member } => Some(member),
            Self::Amount(_) => Some("amount"),
            Self::Currency => Some("currency"),
            Self::Status => Some("status"),
        }
    }
}

impl Draft {
    /// The door: what can be stored exactly, and passes the policy of today.
    pub fn parse(body: &[u8]) -> Result<Self, PaymentError> {
        Self::parse_with(body, &CardCheck::ALL)
    }

    /// As [`Draft::parse`], with members that are not searched for card numbers.
    pub fn parse_with(body: &[u8], cards: &CardCheck) -> Result<Self, PaymentError> {
        let text = std::str::from_utf8(body).map_err(|_| PaymentError::NotUtf8)?;
        let members = json::read_object(text, DEPTH_MAX).map_err(PaymentError::Json)?;
        Self::admit_with(members, cards)
    }

    /// The door for members that were read already.
    pub(crate) fn admit(members: Members<'_>) -> Result<Self, PaymentError> {
        Self::admit_with(members, &CardCheck::ALL)
    }

    fn admit_with(members: Members<'_>, cards: &CardCheck) -> Result<Self, PaymentError> {
        for (name, value) in members.iter().filter(|(name, _)| !cards.is_exempt(name)) {
            refuse_cards(known_name(name).unwrap_or("extra"), name, value)?;
        }
        let draft = Self::storable(members)?;
        draft.check_policy(cards)?;
        Ok(draft)
    }

    /// What is stored exactly and refused all the same, besides card numbers in what was sent. It may change with
    /// any release: no reader asks it.
    fn check_policy(&self, cards: &CardCheck) -> Result<(), PaymentError> {
        if self.id.as_ref().is_some_and(PaymentId::is_only_dots) {
            return Err(PaymentError::Id);
        }
        let Content {
            amount, currency, ..
        } = &self.content;
        if currency.is_some_and(Currency::is_withdrawn) {
            return Err(PaymentError::Currency);
        }
        // As it will stand in the journal: an exponent may have hidden the digits.
        if !cards.is_exempt("amount")
            && amount.is_some_and(|amount| card::is_in(&amount.to_string()))
        {
            return Err(PaymentError::CardNumber { member: "amount" });
        }
        Ok(())
    }

    /// The id that the body gave.
    pub fn id(&self) -> Option<&PaymentId> {
        self.id.as_ref()
    }

    /// Settles the id: from the body, from the header Idempotency-Key (a bare or a quoted string), or by `make`.
    /// The payment belongs to no client yet: [`Payment::of_client`].
    pub fn identify(
        self,
        header: Option<&str>,
        make: impl FnOnce() -> PaymentId,
    ) -> Result<Payment, PaymentError> {
        self.identify_with(header, make, &CardCheck::ALL)
    }

    /// As [`Draft::identify`], with the same members left out as in [`Draft::parse_with`].
    pub fn identify_with(
        self,
        header: Option<&str>,
        make: impl FnOnce() -> PaymentId,
        cards: &CardCheck,
    ) -> Result<Payment, PaymentError> {
        let header = header
            .map(|header| parse_idempotency_key(header, cards))
            .transpose()?;
        let id = match (self.id, header) {
            (Some(body), Some(header)) if body != header => return Err(PaymentError::IdMismatch),
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => make(),
        };
        Ok(Payment {
            key: id.into(),
            content: self.content,
        })
    }
}

impl Payment {
    /// The same payment as this client's.
    #[must_use]
    pub fn of_client(mut self, client: ClientName) -> Self {
        self.key.client = client;
        self
    }

    pub fn key(&self) -> &PaymentKey {
        &self.key
    }

    pub fn id(&self) -> &PaymentId {
        &self.key.id
    }

    pub fn client(&self) -> &ClientName {
        &self.key.client
    }

    pub fn transaction(&self) -> Option<&str> {
        self.content.transaction.as_deref()
    }

    pub fn amount(&self) -> Option<Amount> {
        self.content.amount
    }

    pub fn currency(&self) -> Option<Currency> {
        self.content.currency
    }

    pub fn status(&self) -> Status {
        self.content.status
    }

    pub fn payer_name(&self) -> Option<&str> {
        self.content.payer_name.as_deref()
    }

    /// Members that have no column of their own, as compact JSON; numbers are the text that was sent.
    pub fn extra_json(&self) -> String {
        let mut out = String::new();
        json::write_object(&self.content.extra, &mut out, json::Order::AsSent);
        out
    }
}

impl Payment {
    /// Bytes of the texts that a row stores. Escapes may make them longer than the line: `\b` is stored as `\u0008`.
    pub(crate) fn stored_bytes(&self) -> usize {
        let texts = [
            self.transaction(),
            self.payer_name(),
            Some(&self.extra_json()),
        ];
        texts.iter().flatten().map(|text| text.len()).sum()
    }

    /// Memory, in bytes, besides the structure itself. What is not counted here is small.
    pub(crate) fn heap_bytes(&self) -> usize {
        json::heap_bytes(&self.content.extra)
    }
}

impl Status {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "processed" => Some(Self::Processed),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Failed => "failed",
        }
    }
}

fn refuse_cards(member: &'static str, name: &str, value: &Json<'_>) -> Result<(), PaymentError> {
    if card::is_in(name) || holds_card(value) {
        return Err(PaymentError::CardNumber { member });
    }
    Ok(())
}

fn holds_card(value: &Json<'_>) -> bool {
    match value {
        Json::Null | Json::Bool(_) => false,
        Json::Number(text) => card::is_in_number(text),
        Json::String(text) => card::is_in(text),
        Json::Array(items) => items.iter().any(holds_card),
        Json::Object(members) => members
            .iter()
            .any(|(name, value)| card::is_in(name) || holds_card(value)),
    }
}

fn parse_idempotency_key(header: &str, cards: &CardCheck) -> Result<PaymentId, PaymentError> {
    let text = header.trim();
    let text: Cow<'_, str> = match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(quoted) => quoted.into(),
        None => text.into(),
    };
    if !cards.is_exempt("id") && card::is_in(&text) {
        return Err(PaymentError::CardNumber { member: "id" });
    }
    PaymentId::parse_with(&text, cards).ok_or(PaymentError::IdempotencyKey)
}

#[cfg(test)]
mod tests;
