//! The table of examples: the door and the reader of foreign objects give the answer that it states. The pay page and
//! its form are held to the same table.

#![expect(clippy::unwrap_used, reason = "the table is the tests' own")]

use payment_core::record::LogRecord;
use payment_core::{Currency, Draft, PaymentError, RecordError, Timestamp, amount, card};
use serde_json::{Value, json};

fn examples(of: &str) -> Vec<Value> {
    let table: Value = serde_json::from_str(include_str!("../examples.json")).unwrap();
    table[of].as_array().unwrap().clone()
}

/// What both say of a payment: the amount, or why it is refused.
fn judge(payment: &Value) -> Result<Option<String>, PaymentError> {
    let body = payment.to_string();
    let door = Draft::parse(body.as_bytes());
    let door = door.and_then(|draft| draft.identify(None, || unreachable!("it has an id")));
    let reader = match LogRecord::parse(body.as_bytes(), Timestamp::EPOCH) {
        Ok(record) => Ok(record.payment),
        Err(RecordError::Payment(error)) => Err(error),
        Err(other) => panic!("{body}: {other}"),
    };
    assert_eq!(door, reader, "{body}");
    door.map(|payment| payment.amount().map(|amount| amount.to_string()))
}

#[test]
fn p8_door_and_reader_find_the_card_numbers_of_the_table() {
    for example in examples("cards") {
        let (text, found) = (&example["text"], example["found"].as_bool().unwrap());
        for payment in [
            json!({"id": "a", "payer_name": text}),
            json!({"id": "a", "order": [{"note": text}]}),
        ] {
            let is_card = matches!(judge(&payment), Err(PaymentError::CardNumber { .. }));
            assert_eq!(is_card, found, "{payment}");
        }
        assert_eq!(card::is_in(text.as_str().unwrap()), found);
    }
}

#[test]
fn json_amounts_are_strict_and_typed_ones_mean_what_the_table_says() {
    for example in examples("amounts") {
        let (typed, currency) = (example["typed"].as_str().unwrap(), &example["currency"]);
        let pay = |amount: &str| {
            judge(&json!({"id": "a", "amount": amount, "currency": currency}))
                .ok()
                .flatten()
        };
        assert_eq!(
            pay(typed).is_some(),
            example["json"].as_bool().unwrap(),
            "{example}"
        );
        let known = Currency::parse(currency.as_str().unwrap()).unwrap();
        let paid = amount::from_typed(typed, known)
            .ok()
            .and_then(|amount| pay(&amount));
        assert_eq!(paid.as_deref(), example["paid"].as_str(), "{example}");
    }
}

#[test]
fn door_and_reader_take_current_currencies_only() {
    for example in examples("currencies") {
        let payment = json!({"id": "a", "amount": 1, "currency": example["code"]});
        assert_eq!(
            judge(&payment).is_ok(),
            example["current"].as_bool().unwrap(),
            "{example}"
        );
    }
}

#[test]
fn p3_names_of_every_script_are_kept() {
    for name in examples("names") {
        let body = json!({"id": "a", "payer_name": name}).to_string();
        let record = LogRecord::parse(body.as_bytes(), Timestamp::EPOCH).unwrap();
        assert_eq!(record.payment.payer_name(), name.as_str());
    }
}
