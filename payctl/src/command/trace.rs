//! `payctl trace`: every hop of one payment.

mod hops;
mod search;

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{
    ClientName, Currency, LogRecord, ObjectVersion, PaymentId, PaymentKey, RejectedLine,
};
use payment_store::audit::{LedgerEntry, Row, Stored};
use payment_store::{Found, Store};
use program::Env;
use program::chain;

use self::hops::Hops;
use crate::alb::{self, Alb, Trust};
use crate::command::status;
use crate::config::{self, User};
use crate::credential::{Credential, CredentialArgs};
use crate::log::Log;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The payment's id
    #[arg(value_parser = status::id)]
    id: PaymentId,
    /// The client whose payment it is [default: every client that has a payment with this id]
    #[arg(long, value_name = "NAME")]
    client: Option<ClientName>,
    /// How far back the log is searched for a payment without a row
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=24 * 31))]
    hours: u16,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// The line that a row was made of, as the log holds it now.
enum Origin {
    Line {
        version: ObjectVersion,
        bytes: usize,
        record: Result<Box<LogRecord>, RejectedLine>,
    },
    NoSuchLine,
    Gone,
    /// It is no object of the journal, and was left alone.
    Outside,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let place = config::place(&mut env);
    let store = config::store(&mut env, User::Reader, 2);
    let address = alb::optional(&mut env, args.trust.clone());
    let credential = Credential::new(args.credential.clone(), &mut env);
    let (place, store) = env
        .finish(|| Some((place?, store?)))
        .map_err(Failure::config)?;
    let log = Arc::new(Log::open(place).await.map_err(Failure::config)?);
    let front = match address {
        Some(address) => answer(&Alb::new(address, credential)?, &args.id).await?,
        None => Outcome::Clean,
    };
    let traced = rows(&log, &store, &args).await?;
    let traced = match traced {
        Some(traced) => traced,
        None => search::unrecorded(&log, &store, &args).await?,
    };
    Ok(front.and(traced))
}

/// Shows the rows of the id; `None` if there is none.
async fn rows(log: &Log, store: &Store, args: &Args) -> Result<Option<Outcome>, Failure> {
    let clients = match &args.client {
        Some(client) => vec![client.clone()],
        None => store.clients_of(&args.id).await?,
    };
    let mut traced = None;
    for client in clients {
        let id = args.id.clone();
        let payment = PaymentKey { id, client };
        if let Some(found) = store.find(&payment).await? {
            let outcome = recorded(log, store, &payment, &found).await?;
            traced = Some(traced.map_or(outcome, |before: Outcome| before.and(outcome)));
        }
    }
    Ok(traced)
}

/// Says what a client is told. Without an answer about the payment the rest can still be traced, and a part was not
/// looked at.
async fn answer(alb: &Alb, id: &PaymentId) -> io::Result<Outcome> {
    let (said, outcome) = match alb.status(id).await {
        Ok(answer) => {
            let is_about_it = answer.state_of(id.as_str()).is_some() || answer.is_not_found();
            (
                format!("{} {}", answer.status, answer.body.trim_end()),
                Outcome::unfinished_if(!is_about_it),
            )
        }
        Err(error) => (chain(&error), Outcome::Unfinished),
    };
    output::say(&format!("GET /pay/{id}: {}\n", safe(&said)))?;
    Ok(outcome)
}

async fn recorded(
    log: &Log,
    store: &Store,
    payment: &PaymentKey,
    found: &Found,
) -> Result<Outcome, Failure> {
    let origin = origin(log, found).await?;
    let entry = entry(store, found, &origin).await?;
    let conflicts = store.conflicts_of(payment).await?;
    let mut hops = Hops::default();
    let request = found.request_id.as_ref().map(ToString::to_string);
    hops.add(
        "accepted",
        found.received_at,
        format!("request {}", request.as_deref().unwrap_or("unknown")),
    );
    let key = safe(found.object_key.as_str());
    if let Origin::Line { version, bytes, .. } = &origin {
        hops.add(
            "stored",
            version.stored_at,
            format!("{key}, {bytes} bytes (S3 tells whole seconds)"),
        );
    }
    hops.add(
        "row",
        found.recorded_at,
        format!("transactions, from line {}", found.object_line),
    );
    if let Some(entry) = &entry {
        hops.add(
            "ingested",
            entry.ingested_at,
            format!("ingested_objects, {} lines", entry.lines),
        );
    }
    for conflict in &conflicts {
        let place = format!(
            "other content, {} line {}",
            safe(&conflict.object_key),
            conflict.object_line
        );
        hops.add("conflict", conflict.recorded_at, place);
    }
    let row = store.rows_of(&[payment]).await?.remove(payment);
    let (said, outcome) = compare(&origin, entry.as_ref(), row.as_ref());
    output::say(&about(payment, found))?;
    output::say(&hops.table())?;
    output::say(&format!("the log: {said}\n"))?;
    Ok(outcome)
}

/// What the ledger says of the object as it is now, or of its last version where it is gone.
async fn entry(
    store: &Store,
    found: &Found,
    origin: &Origin,
) -> Result<Option<LedgerEntry>, payment_store::Error> {
    let mut entries = store.ledger_entries(&found.object_key).await?;
    if let Origin::Line { version, .. } = origin {
        entries.retain(|entry| entry.is_of(version));
    }
    Ok(entries.pop())
}

/// Without the payer's name and the members of the client's own.
fn about(payment: &PaymentKey, found: &Found) -> String {
    let mut text = format!("payment {payment}, {}", found.status.as_str());
    if let Some(amount) = found.amount {
        // Writing to a String can't fail.
        let _ = write!(text, ", {amount}");
    }
    if let Some(currency) = found.currency.map(Currency::code) {
        let _ = write!(text, " {currency}");
    }
    let _ = writeln!(text, "\nhash {}", found.content_hash);
    text
}

async fn origin(log: &Log, found: &Found) -> Result<Origin, ObjectError> {
    let key = &found.object_key;
    if !log.place.holds(&log.reference(key)) {
        return Ok(Origin::Outside);
    }
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Origin::Gone),
        Err(error) => return Err(error),
    };
    let line = read_object(key, &object.body, object.version.stored_at)
        .find(|(line, _)| *line == found.object_line);
    Ok(match line {
        Some((_, record)) => Origin::Line {
            version: object.version,
            bytes: object.body.len(),
            record: record.map(Box::new),
        },
        None => Origin::NoSuchLine,
    })
}

/// By columns as well as by hash, which a change by hand leaves as it is.
fn compare(origin: &Origin, entry: Option<&LedgerEntry>, row: Option<&Row>) -> (String, Outcome) {
    let said = match (origin, row) {
        (Origin::Outside, _) => {
            let said = "the row's object lies outside LOG_PREFIX and was not looked at";
            return (said.to_owned(), Outcome::Unfinished);
        }
        (Origin::Gone, _) => "the object is gone".to_owned(),
        (Origin::NoSuchLine, _) => "the object has no such line".to_owned(),
        (
            Origin::Line {
                record: Err(error), ..
            },
            _,
        ) => {
            format!("the line is no payment: {}", error.error)
        }
        (Origin::Line { .. }, None) => "the row is gone since".to_owned(),
        (
            Origin::Line {
                record: Ok(record),
                version,
                ..
            },
            Some(row),
        ) => {
            let Some(entry) = entry else {
                return (
                    "the ledger does not know the row's object".to_owned(),
                    Outcome::Different,
                );
            };
            let stored = Stored {
                at: version.stored_at,
                is_rewritten: entry.ingested_at < version.stored_at,
                ingested_at: None,
            };
            let columns = row.differing_from_line(record, stored);
            if columns.is_empty() {
                let said = "the line has the row's hash and content";
                return (said.to_owned(), Outcome::Clean);
            }
            format!("the row differs from its line in {}", columns.join(", "))
        }
    };
    (said, Outcome::Different)
}
