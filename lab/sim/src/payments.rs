//! The payments of a run: their contents, and the bodies that express them.

use payment_core::ClientName;
use serde_json::Value;
use verdict::Content;

use crate::world::World;

/// Contents that may come under one id; the first is the most frequent.
const CONTENTS: usize = 3;

/// Clients of the run: open intake, and one that has a name. They use the same ids.
const CLIENTS: [&str; 2] = ["", "shop"];

/// An id of a client, and what is said under it.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    pub client: ClientName,
    pub contents: Vec<Content>,
}

impl Payment {
    /// What the trace calls it: the same id at two clients is two payments.
    pub fn name(&self) -> String {
        let Self { id, client, .. } = self;
        if client.is_empty() {
            return id.clone();
        }
        format!("{id} of client {client}")
    }
}

pub fn draw(world: &World, count: usize) -> Vec<Payment> {
    let payment = |number| Payment {
        id: format!("pay-{}", number / CLIENTS.len()),
        client: ClientName::from_stored(CLIENTS[number % CLIENTS.len()]).unwrap_or_default(),
        contents: (0..CONTENTS).map(|nth| content(world, nth)).collect(),
    };
    (0..count).map(payment).collect()
}

/// Returns a content; a different `nth` gives a different one.
pub fn content(world: &World, nth: usize) -> Content {
    let cents = nth * 100_000 + world.below(100_000) + 1;
    let text = |of: &[&str]| (*world.pick(of)).to_owned();
    let some = |of: &[&str]| world.chance(0.5).then(|| text(of));
    Content {
        transaction: some(&["rent", "Zoë's \"tab\"", "", "food\n"]),
        amount: Some(format!("{}.{:02}", cents / 100, cents % 100)),
        currency: Some(text(&["USD", "EUR", "CHF"])),
        status: text(&["processed", "processed", "failed"]),
        payer_name: some(&["Jane", "José Ñandú", "李小龍"]),
        extra: text(&[
            "{}",
            r#"{"n":1.10}"#,
            r#"{"note":"ä","list":[1,2.50,null],"deep":{"a":true}}"#,
        ]),
    }
}

/// Returns a body that expresses a content. Two bodies of one content may differ.
pub fn body(world: &World, id: &str, content: &Content) -> String {
    let mut members = vec![format!("\"id\":{}", quoted(id))];
    let mut add = |name: &str, value: String| members.push(format!("\"{name}\":{value}"));
    if let Some(transaction) = &content.transaction {
        add("transaction", quoted(transaction));
    }
    if let Some(amount) = &content.amount {
        let written = match world.below(3) {
            0 => amount.clone(),
            1 => quoted(amount),
            _ => quoted(amount.trim_end_matches('0').trim_end_matches('.')),
        };
        add("amount", written);
    }
    match content.currency.as_deref() {
        Some("USD") if world.chance(0.5) => {}
        Some(currency) => add("currency", quoted(currency)),
        None => {}
    }
    if content.status != "processed" || world.chance(0.5) {
        add("status", quoted(&content.status));
    }
    if let Some(payer_name) = &content.payer_name {
        add("payer_name", quoted(payer_name));
    }
    let extra = content
        .extra
        .trim_start_matches('{')
        .strip_suffix('}')
        .unwrap_or_default();
    if !extra.is_empty() {
        members.push(extra.to_owned());
    }
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
