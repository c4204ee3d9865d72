//! What the clients do: payments of all sorts, repeats, collisions, and requests that must be refused.

use std::collections::VecDeque;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use verdict::Content;

/// Number of recent payments that may be repeated.
const RECENT: usize = 2_000;

/// Most payments of one batch.
const BATCH_MAX: usize = 40;

/// Currency codes with their number of decimals.
const CURRENCIES: [(&str, u32); 4] = [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)];

const NAMES: [&str; 5] = [
    "Jane Doe",
    "Zoë Ångström",
    "山田太郎",
    "O'Neil \"Q\"",
    "a\\b\tc",
];

/// Members without a column: they must come back verbatim.
const EXTRAS: [&str; 5] = [
    r#""note":"x""#,
    r#""fee":1.10,"rate":1e400"#,
    r#""n":12345678901234567890.0001"#,
    r#""cart":[{"sku":"A-1","qty":2},null,true]"#,
    r#""emoji":"💶","empty":"""#,
];

/// Bodies that must be refused: a card number, no money, too many decimals, no JSON.
const REFUSED: [(&str, &str); 4] = [
    ("card", r#""note":"4111 1111 1111 1111""#),
    ("zero", r#""amount":"0.00""#),
    ("decimals", r#""amount":"1.001","currency":"USD""#),
    ("broken", r#""amount":"#),
];

/// A payment as it is sent, and its content.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Who pays: empty with open intake.
    pub client: String,
    /// `None` if the server is to make one.
    pub id: Option<String>,
    /// Whether the id is sent in the header instead of the body.
    pub by_header: bool,
    pub content: Content,
    pub body: String,
}

impl Payment {
    /// The same payment as a line of this client's batch. `None` if it has no id.
    fn in_batch(mut self, client: &str) -> Option<Self> {
        let id = self.id.as_deref()?;
        if self.by_header {
            let members = self.body.strip_prefix('{')?;
            self.body = format!(r#"{{"id":"{id}",{members}"#);
            self.by_header = false;
        }
        client.clone_into(&mut self.client);
        Some(self)
    }
}

/// What one client does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Posts, and repeats until it is answered.
    Pay(Payment),
    /// Posts the same payment twice at the same time.
    Twins(Payment),
    /// Hangs up before the answer, then repeats.
    HangUp(Payment, u64),
    /// Posts several payments of one client in one request, and repeats those that are open until they are answered.
    Batch(Vec<Payment>),
    /// Posts without a valid credential.
    Intrude(Payment),
}

#[derive(Debug)]
pub struct Payments {
    rng: StdRng,
    /// Prefix of every id, so that runs on one lab do not collide.
    run: String,
    clients: Vec<String>,
    made: u64,
    recent: VecDeque<Payment>,
}

impl Payments {
    /// Payments of these clients, or of open intake if there are none.
    pub fn new(seed: u64, run: String, clients: Vec<String>) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            run,
            clients,
            made: 0,
            recent: VecDeque::new(),
        }
    }

    pub fn next(&mut self) -> Deed {
        if !self.clients.is_empty() {
            match self.rng.random_range(0..100) {
                0..15 => return Deed::Pay(self.borrowing()),
                15..20 => return Deed::Intrude(self.repeated()),
                _ => {}
            }
        }
        match self.rng.random_range(0..100) {
            0..60 => Deed::Pay(self.fresh()),
            60..65 => Deed::Batch(self.batch()),
            65..70 => Deed::Pay(self.anonymous()),
            70..80 => Deed::Pay(self.repeated()),
            80..86 => Deed::Pay(self.colliding()),
            86..92 => Deed::Twins(self.fresh()),
            92..96 => {
                let patience = self.rng.random_range(0..60);
                Deed::HangUp(self.fresh(), patience)
            }
            _ => Deed::Pay(self.refused()),
        }
    }

    fn fresh(&mut self) -> Payment {
        let id = self.id();
        let payment = self.payment(Some(id));
        self.remember(payment.clone());
        payment
    }

    fn remember(&mut self, payment: Payment) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(payment);
    }

    fn anonymous(&mut self) -> Payment {
        self.made += 1;
        self.payment(None)
    }

    /// A payment that was sent before, perhaps a moment ago.
    fn repeated(&mut self) -> Payment {
        let back = self.rng.random_range(0..RECENT);
        let at = self.recent.len().saturating_sub(back + 1);
        match self.recent.get(at) {
            Some(payment) => payment.clone(),
            None => self.fresh(),
        }
    }

    /// Another payment under an id that was sent before.
    fn colliding(&mut self) -> Payment {
        let Payment { client, id, .. } = self.repeated();
        self.made += 1;
        Payment {
            client,
            ..self.payment(id)
        }
    }

    /// A payment of any client, under an id that perhaps another one has used: of the same content, or of its own.
    fn borrowing(&mut self) -> Payment {
        let used = self.repeated();
        let same_content = self.rng.random_bool(0.5);
        let client = self.client();
        let payment = if same_content {
            Payment { client, ..used }
        } else {
            self.made += 1;
            Payment {
                client,
                ..self.payment(used.id)
            }
        };
        self.remember(payment.clone());
        payment
    }

    fn client(&mut self) -> String {
        self.clients
            .choose(&mut self.rng)
            .cloned()
            .unwrap_or_default()
    }

    /// Payments of all sorts; in a batch each has its id in its body.
    fn batch(&mut self) -> Vec<Payment> {
        let client = self.client();
        let count = self.rng.random_range(1..=BATCH_MAX);
        let mut batch = Vec::with_capacity(count);
        while batch.len() < count {
            let payment = match self.rng.random_range(0..100) {
                0..75 => self.fresh(),
                75..85 => self.repeated(),
                85..93 => self.colliding(),
                _ => self.refused(),
            };
            if let Some(payment) = payment.in_batch(&client) {
                batch.push(payment);
            }
        }
        batch
    }

    fn refused(&mut self) -> Payment {
        let id = self.id();
        let (why, member) = REFUSED[self.rng.random_range(0..REFUSED.len())];
        let content = Content {
            transaction: Some(why.to_owned()),
            amount: None,
            currency: None,
            status: "processed".to_owned(),
            payer_name: None,
            extra: "{}".to_owned(),
        };
        Payment {
            client: self.client(),
            body: format!(r#"{{"id":"{id}","transaction":"{why}",{member}}}"#),
            id: Some(id),
            by_header: false,
            content,
        }
    }

    fn id(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", self.run, self.made)
    }

    /// Makes a payment; the number makes its content unique.
    fn payment(&mut self, id: Option<String>) -> Payment {
        let (currency, decimals) = CURRENCIES[self.rng.random_range(0..CURRENCIES.len())];
        let with_amount = self.rng.random_bool(0.9);
        let amount = with_amount.then(|| self.amount(decimals));
        let failed = self.rng.random_bool(0.05);
        let extra = EXTRAS
            .choose(&mut self.rng)
            .filter(|_| self.made.is_multiple_of(3));
        let content = Content {
            transaction: Some(format!("{}/{}", self.run, self.made)),
            currency: amount.is_some().then(|| currency.to_owned()),
            amount,
            status: if failed { "failed" } else { "processed" }.to_owned(),
            payer_name: self
                .rng
                .random_bool(0.5)
                .then(|| NAMES[self.rng.random_range(0..NAMES.len())].to_owned()),
            extra: format!("{{{}}}", extra.copied().unwrap_or_default()),
        };
        let by_header = id.is_some() && self.rng.random_bool(0.2);
        let as_number = self.rng.random_bool(0.5);
        Payment {
            client: self.client(),
            body: body(id.as_deref().filter(|_| !by_header), &content, as_number),
            id,
            by_header,
            content,
        }
    }

    fn amount(&mut self, decimals: u32) -> String {
        let whole = self.rng.random_range(1..1_000_000_u32);
        match decimals {
            0 => whole.to_string(),
            decimals => {
                let part = self.rng.random_range(0..10_u32.pow(decimals));
                let width = usize::try_from(decimals).unwrap_or_default();
                format!("{whole}.{part:0width$}")
            }
        }
    }
}

/// Builds the JSON by hand, so that numbers are sent exactly as intended.
fn body(id: Option<&str>, content: &Content, as_number: bool) -> String {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let mut members = Vec::new();
    for (name, value) in [
        ("id", id),
        ("transaction", content.transaction.as_deref()),
        ("currency", content.currency.as_deref()),
        ("status", Some(content.status.as_str())),
        ("payer_name", content.payer_name.as_deref()),
    ] {
        members.extend(value.map(|value| format!(r#""{name}":{}"#, text(value))));
    }
    members.extend(content.amount.as_deref().map(|amount| {
        let amount = if as_number {
            amount.to_owned()
        } else {
            text(amount)
        };
        format!(r#""amount":{amount}"#)
    }));
    let extra = &content.extra[1..content.extra.len() - 1];
    if !extra.is_empty() {
        members.push(extra.to_owned());
    }
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn a_seed_gives_the_same_payments_again() {
        let deeds = |seed| {
            let mut payments = Payments::new(seed, "r".to_owned(), Vec::new());
            (0..500)
                .map(|_| format!("{:?}", payments.next()))
                .collect::<Vec<_>>()
        };
        assert_eq!(deeds(7), deeds(7));
        assert_ne!(deeds(7), deeds(8));
    }

    #[test]
    fn bodies_are_json_but_for_those_that_are_to_be_refused() {
        let mut payments = Payments::new(1, "r".to_owned(), vec!["shop".to_owned()]);
        for _ in 0..500 {
            let sent = match payments.next() {
                Deed::Batch(payments) => payments,
                Deed::Pay(payment)
                | Deed::Twins(payment)
                | Deed::HangUp(payment, _)
                | Deed::Intrude(payment) => vec![payment],
            };
            for payment in sent {
                let parsed: Result<Box<serde_json::value::RawValue>, _> =
                    serde_json::from_str(&payment.body);
                assert!(
                    parsed.is_ok() || payment.body.contains("broken"),
                    "{}",
                    payment.body
                );
            }
        }
    }

    #[test]
    fn each_payment_of_a_batch_is_one_line_with_its_id() {
        let mut payments = Payments::new(1, "r".to_owned(), vec!["shop".to_owned()]);
        for payment in (0..50).flat_map(|_| payments.batch()) {
            let id = format!(r#""id":"{}""#, payment.id.unwrap());
            assert_eq!(payment.body.matches(&id).count(), 1, "{}", payment.body);
            assert!(!payment.body.contains('\n') && payment.client == "shop");
        }
    }

    #[test]
    fn p10_clients_use_the_ids_of_each_other() {
        let clients = ["one", "two"].map(str::to_owned).to_vec();
        let mut payments = Payments::new(1, "r".to_owned(), clients);
        let mut users: HashMap<String, HashSet<String>> = HashMap::new();
        for _ in 0..500 {
            if let Deed::Pay(Payment {
                client,
                id: Some(id),
                ..
            }) = payments.next()
            {
                users.entry(id).or_default().insert(client);
            }
        }
        assert!(users.values().any(|clients| clients.len() == 2));
    }
}
