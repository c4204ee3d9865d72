//! What can be stored exactly: the rules that the columns and the hash make, and no policy.
//!
//! Each payment passes here: at the door, which adds its policy on top, and again when its line or its row is read.
//! So what the door accepts the readers accept. Lines of every age are read here: a rule may be relaxed, but never
//! made stricter. A stricter rule belongs to the door.

use std::borrow::Cow;

use super::{Draft, PAYER_NAME_CHARS_MAX, PaymentError, Status, TRANSACTION_CHARS_MAX};
use crate::amount::{Amount, AmountError, Currency};
use crate::id::PaymentId;
use crate::json::{Json, Members, into_owned_member};

/// Members that have a column and a rule of their own.
const KNOWN: [&str; 6] = [
    "id",
    "transaction",
    "amount",
    "currency",
    "status",
    "payer_name",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub transaction: Option<Box<str>>,
    pub amount: Option<Amount>,
    pub currency: Option<Currency>,
    pub status: Status,
    pub payer_name: Option<Box<str>>,
    pub extra: Members<'static>,
}

impl Draft {
    /// A known member that is `null` counts as absent.
    pub(crate) fn storable<'a>(
        members: impl IntoIterator<Item = (Cow<'a, str>, Json<'a>)>,
    ) -> Result<Self, PaymentError> {
        let mut known = Known::default();
        let mut extra = Members::new();
        for (name, value) in members {
            match known.slot(&name) {
                Some(slot) => *slot = Some(value).filter(|v| *v != Json::Null),
                None => extra.push(into_owned_member((name, value))),
            }
        }
        known.into_draft(extra)
    }
}

/// The name itself, for messages.
pub(crate) fn known_name(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == name)
}

/// Members that have a rule of their own, as they were sent.
#[derive(Default)]
struct Known<'a> {
    id: Option<Json<'a>>,
    transaction: Option<Json<'a>>,
    amount: Option<Json<'a>>,
    currency: Option<Json<'a>>,
    status: Option<Json<'a>>,
    payer_name: Option<Json<'a>>,
}

impl<'a> Known<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Json<'a>>> {
        Some(match name {
            "id" => &mut self.id,
            "transaction" => &mut self.transaction,
            "amount" => &mut self.amount,
            "currency" => &mut self.currency,
            "status" => &mut self.status,
            "payer_name" => &mut self.payer_name,
            _ => return None,
        })
    }

    fn into_draft(self, extra: Members<'static>) -> Result<Draft, PaymentError> {
        let id = match string("id", self.id)? {
            Some(text) => Some(PaymentId::from_stored(&text).ok_or(PaymentError::Id)?),
            None => None,
        };
        let currency = match string("currency", self.currency)? {
            Some(code) => Some(Currency::from_stored(&code).ok_or(PaymentError::Currency)?),
            None => self.amount.is_some().then_some(Currency::USD),
        };
        let status = match string("status", self.status)? {
            Some(text) => Status::parse(&text).ok_or(PaymentError::Status)?,
            None => Status::default(),
        };
        let content = Content {
            transaction: bounded_string("transaction", self.transaction, TRANSACTION_CHARS_MAX)?,
            amount: amount(self.amount, currency)?,
            currency,
            status,
            payer_name: bounded_string("payer_name", self.payer_name, PAYER_NAME_CHARS_MAX)?,
            extra,
        };
        Ok(Draft { id, content })
    }
}

fn string<'a>(
    member: &'static str,
    value: Option<Json<'a>>,
) -> Result<Option<Cow<'a, str>>, PaymentError> {
    match value {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(PaymentError::NotAString { member }),
    }
}

fn bounded_string(
    member: &'static str,
    value: Option<Json<'_>>,
    chars_max: usize,
) -> Result<Option<Box<str>>, PaymentError> {
    let text = string(member, value)?;
    match text {
        Some(text) if text.chars().count() > chars_max => {
            Err(PaymentError::TooLong { member, chars_max })
        }
        _ => Ok(text.map(Box::from)),
    }
}

fn amount(
    value: Option<Json<'_>>,
    currency: Option<Currency>,
) -> Result<Option<Amount>, PaymentError> {
    let text = match value {
        None => return Ok(None),
        Some(Json::Number(text) | Json::String(text)) => text,
        Some(_) => return Err(PaymentError::Amount(AmountError::NotANumber)),
    };
    let currency = currency.unwrap_or(Currency::USD);
    let amount = Amount::parse(&text, currency).map_err(PaymentError::Amount)?;
    Ok(Some(amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_member_has_a_place_of_its_own() {
        let mut known = Known::default();
        for name in KNOWN {
            let slot = known.slot(name).expect(name);
            assert_eq!(slot.replace(Json::Null), None, "{name}");
        }
    }
}
