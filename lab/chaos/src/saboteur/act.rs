//! One act of the saboteur: what is done, and what has to be named for it.

use std::{collections::BTreeSet, fmt};

use payment_core::PaymentKey;
use serde_json::Value;

use super::journal::Object;

/// Something that `payctl verify` may name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Accused {
    /// An object, by its key.
    Object(String),
    Payment {
        client: String,
        id: String,
    },
}

/// A change of bucket or database.
#[derive(Clone, Debug)]
pub enum Step {
    Put {
        key: String,
        body: String,
    },
    Delete(String),
    Sql(String),
    /// The tables get the ETag, the hash and the place in the chain of the object as it is now.
    Vouch(String),
    /// The ledger gets an entry for the object as it is now.
    Enter {
        key: String,
        rows: u32,
        duplicates: u32,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Act {
    pub steps: Vec<Step>,
    /// Each of these has to be named.
    pub named: BTreeSet<Accused>,
    /// What the act affects besides: it may be named as well. Nothing else may.
    pub affected: BTreeSet<Accused>,
}

/// What `payctl verify --json` printed.
#[derive(Clone, Debug)]
pub struct Verified {
    pub status: Option<i32>,
    pub printed: String,
}

/// Why the verdict on an act is not right.
#[derive(Clone, Debug)]
pub struct Wrong {
    missed: Vec<Accused>,
    innocent: Vec<Accused>,
    status: Option<i32>,
}

impl Act {
    pub fn put(mut self, key: impl fmt::Display, body: impl Into<String>) -> Self {
        self.steps.push(Step::Put {
            key: key.to_string(),
            body: body.into(),
        });
        self
    }

    pub fn delete(mut self, key: impl fmt::Display) -> Self {
        self.steps.push(Step::Delete(key.to_string()));
        self
    }

    pub fn sql(mut self, statement: impl Into<String>) -> Self {
        self.steps.push(Step::Sql(statement.into()));
        self
    }

    pub fn vouch(mut self, key: impl fmt::Display) -> Self {
        self.steps.push(Step::Vouch(key.to_string()));
        self
    }

    pub fn enter(mut self, key: impl fmt::Display, rows: u32, duplicates: u32) -> Self {
        self.steps.push(Step::Enter {
            key: key.to_string(),
            rows,
            duplicates,
        });
        self
    }

    pub fn names(mut self, accused: Accused) -> Self {
        self.named.insert(accused);
        self
    }

    pub fn names_object(self, key: impl fmt::Display) -> Self {
        self.names(Accused::Object(key.to_string()))
    }

    pub fn affects(mut self, accused: Accused) -> Self {
        self.affected.insert(accused);
        self
    }

    /// The payments of an object: where it is touched alone, its rows, and the repeats of its lines in other objects,
    /// have lost their line.
    pub fn affects_payments_of(mut self, object: &Object) -> Self {
        self.affected.extend(object.payments());
        self
    }

    /// Compares what was named with what has to be.
    pub fn judge(&self, verified: &Verified) -> Result<(), Wrong> {
        let accused = verified.accused();
        let is_known =
            |accused: &&Accused| self.named.contains(*accused) || self.affected.contains(*accused);
        let wrong = Wrong {
            missed: self.named.difference(&accused).cloned().collect(),
            innocent: accused.iter().filter(|it| !is_known(it)).cloned().collect(),
            status: verified.status.filter(|status| !matches!(status, 1 | 2)),
        };
        let is_right = wrong.missed.is_empty()
            && wrong.innocent.is_empty()
            && wrong.status.is_none()
            && verified.status.is_some();
        if is_right { Ok(()) } else { Err(wrong) }
    }
}

impl Verified {
    /// Whether something could not be known besides.
    pub fn is_unfinished(&self) -> bool {
        self.status == Some(2)
    }

    /// Whether nothing at all was found.
    pub fn is_clean(&self) -> bool {
        self.status == Some(0)
    }

    /// What was named.
    fn accused(&self) -> BTreeSet<Accused> {
        let mut accused = BTreeSet::new();
        let lines = self.printed.lines();
        for found in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let text = |name: &str| found[name].as_str().map(str::to_owned);
            let (Some(kind), Some(object)) = (text("difference"), text("object")) else {
                continue;
            };
            // These say what is not known any more, and not that something is wrong with it.
            if matches!(kind.as_str(), "unvouched" | "unproven") {
                continue;
            }
            accused.insert(match text("payment_id") {
                Some(id) => Accused::Payment {
                    client: text("client").unwrap_or_default(),
                    id,
                },
                None => Accused::Object(object),
            });
        }
        accused
    }
}

impl From<&PaymentKey> for Accused {
    fn from(payment: &PaymentKey) -> Self {
        Self::Payment {
            client: payment.client.to_string(),
            id: payment.id.to_string(),
        }
    }
}

impl fmt::Display for Accused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(key) => write!(f, "object {key}"),
            Self::Payment { client, id } if client.is_empty() => write!(f, "payment {id}"),
            Self::Payment { client, id } => write!(f, "payment {id} of client {client}"),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for missed in &self.missed {
            writeln!(f, "not named: {missed}")?;
        }
        for innocent in &self.innocent {
            writeln!(f, "named, and untouched: {innocent}")?;
        }
        if let Some(status) = self.status {
            writeln!(f, "exit status {status}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: &str = r#"{"difference":"object_gone","object":"a"}
{"difference":"row_differs","payment_id":"p","client":"shop","object":"b","line":2}
{"difference":"unvouched","object":"c","last_object":"e","objects":3}
{"objects":3,"outcome":"different"}
"#;

    fn verified(printed: &str) -> Verified {
        Verified {
            status: Some(1),
            printed: printed.to_owned(),
        }
    }

    #[test]
    fn p11_a_verdict_is_right_if_it_names_the_act_and_nothing_else() {
        let payment = || Accused::Payment {
            client: "shop".to_owned(),
            id: "p".to_owned(),
        };
        let act = Act::default().names_object("a").affects(payment());
        assert!(act.judge(&verified(NAMED)).is_ok());
        let accused = act.clone().names_object("d").judge(&verified(NAMED));
        assert_eq!(accused.unwrap_err().to_string(), "not named: object d\n");
        let innocent = Act::default().names(payment()).judge(&verified(NAMED));
        assert_eq!(
            innocent.unwrap_err().to_string(),
            "named, and untouched: object a\n"
        );
        let clean = Verified {
            status: Some(0),
            ..verified(NAMED)
        };
        assert!(act.judge(&clean).is_err());
    }
}
