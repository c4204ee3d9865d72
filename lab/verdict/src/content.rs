//! The content of a payment: everything except its id.

use serde::{Deserialize, Serialize};

/// The content of a payment. Two contents are the same if their [`Content::normal`] forms are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Content {
    pub transaction: Option<String>,
    /// A decimal without an exponent.
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub status: String,
    pub payer_name: Option<String>,
    /// All other members as compact JSON; `{}` if there are none.
    pub extra: String,
}

impl Content {
    /// Returns the form in which contents are compared: the amount without needless zeros, and with a currency.
    #[must_use]
    pub fn normal(mut self) -> Self {
        if self.amount.is_some() && self.currency.is_none() {
            self.currency = Some("USD".to_owned());
        }
        self.amount = self.amount.as_deref().map(trimmed);
        self
    }

    /// Returns the names of members that differ, and nothing of their values.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        [
            ("transaction", self.transaction != other.transaction),
            ("amount", self.amount != other.amount),
            ("currency", self.currency != other.currency),
            ("status", self.status != other.status),
            ("payer_name", self.payer_name != other.payer_name),
            ("extra", self.extra != other.extra),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

/// Normalizes a decimal: `0100.50` and `100.5` are the same.
fn trimmed(decimal: &str) -> String {
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        digits => format!("{whole}.{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_decimals_are_the_same_whatever_their_zeros_and_in_no_other_way() {
        for (text, trim) in [
            ("100", "100"),
            ("100.00", "100"),
            ("0100.50", "100.5"),
            ("0.0100", "0.01"),
            (".5", "0.5"),
            ("0", "0"),
            ("123456789012345.6789", "123456789012345.6789"),
        ] {
            assert_eq!(trimmed(text), trim);
        }
    }

    #[test]
    fn an_amount_without_a_currency_is_in_dollars() {
        let bare = Content {
            transaction: None,
            amount: Some("1.0".to_owned()),
            currency: None,
            status: "processed".to_owned(),
            payer_name: None,
            extra: "{}".to_owned(),
        };
        let full = Content {
            amount: Some("1.0000".to_owned()),
            currency: Some("USD".to_owned()),
            ..bare.clone()
        };
        assert_eq!(bare.differing(&full), ["amount", "currency"]);
        assert_eq!(bare.normal(), full.normal());
    }
}
