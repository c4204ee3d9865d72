//! `payctl trace`: every hop of one payment.

mod folders;
mod hops;
mod origin;
mod search;

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use payment_core::client::InvalidClientName;
use payment_core::{ClientName, Currency, PaymentId, PaymentKey, PaymentState};
use payment_store::audit::{Conflict, LISTED_MAX};
use payment_store::{Found, Store};
use program::{Env, chain};

use self::hops::Hops;
use self::origin::{Ledger, Origin, compare};
use self::search::{Wanted, Window};
use crate::command::status;
use crate::config::{self, User};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::pay_client::{AlbArgs, PayClient};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The payment's id
    #[arg(value_parser = status::id)]
    id: PaymentId,
    /// The client whose payment it is; '' is open intake [default: every client that has a payment with this id]
    #[arg(long, value_name = "NAME", value_parser = client)]
    client: Option<ClientName>,
    /// How far back the log is searched for a payment without a row, if it has none or no client is named
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=24 * 31))]
    hours: u16,
    /// An object younger than this that is not ingested is on its way
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    settle: u32,
    #[command(flatten)]
    alb: AlbArgs,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let place = config::place(&mut env);
    let store = config::store(&mut env, User::Reader, 2);
    let alb = args.alb.clone().optional(&mut env);
    let (place, store) = env
        .finish(|| Some((place?, store?)))
        .map_err(Failure::config)?;
    let log = Arc::new(Journal::open(place).await.map_err(Failure::config)?);
    let rows = rows(&store, &args).await?;
    let front = if let Some((address, credential)) = alb {
        answer(
            &PayClient::new(address, credential)?,
            &args.id,
            !rows.is_empty(),
        )
        .await?
    } else {
        output::say("GET /pay/…: not asked; ALB_URL is not set\n")?;
        Outcome::Clean
    };
    let mut outcome = front;
    for (payment, found) in &rows {
        outcome = outcome.and(recorded(&log, &store, payment, found).await?);
    }
    if args.client.is_none() && rows.len() >= LISTED_MAX {
        let said = "other clients may have rows of this id: --client NAME shows one\n";
        output::say(said)?;
        outcome = outcome.and(Outcome::Unfinished);
    }
    if rows.is_empty() || args.client.is_none() {
        let wanted = Wanted {
            id: &args.id,
            client: args.client.as_ref(),
            rows: &rows,
        };
        let searched = search::unrecorded(&log, &store, wanted, Window::of(&args)).await?;
        outcome = outcome.and(searched);
    }
    Ok(outcome)
}

/// The empty name can be asked for as well.
fn client(text: &str) -> Result<ClientName, InvalidClientName> {
    ClientName::from_stored(text)
}

/// The rows of the id: one of each client that has such a payment, at most [`LISTED_MAX`].
async fn rows(store: &Store, args: &Args) -> Result<Vec<(PaymentKey, Found)>, Failure> {
    let clients = match &args.client {
        Some(client) => vec![client.clone()],
        None => store.clients_of(&args.id).await?,
    };
    let mut rows = Vec::new();
    for client in clients {
        let id = args.id.clone();
        let payment = PaymentKey { id, client };
        if let Some(found) = store.find(&payment).await? {
            rows.push((payment, found));
        }
    }
    Ok(rows)
}

/// Says what a client is told. Without an answer about the payment the rest can still be traced, and a part was not
/// looked at. Of a payment with a row, every node has to say that it is recorded.
async fn answer(alb: &PayClient, id: &PaymentId, is_recorded: bool) -> io::Result<Outcome> {
    let (said, outcome) = match alb.status(id).await {
        Ok(answer) => {
            let outcome = match answer.state_of(id.as_str()) {
                Some(PaymentState::Recorded) => Outcome::Clean,
                // The tier that answers may not look at the database.
                Some(PaymentState::Accepted) => Outcome::unfinished_if(is_recorded),
                Some(PaymentState::Conflict | PaymentState::Rejected) => Outcome::Different,
                None if answer.is_not_found() => Outcome::Different,
                None => Outcome::Unfinished,
            };
            (
                format!("{} {}", answer.status, answer.body.trim_end()),
                outcome,
            )
        }
        Err(error) => (chain(&error), Outcome::Unfinished),
    };
    output::say(&format!("GET /pay/{id}: {}\n", safe(&said)))?;
    Ok(outcome)
}

async fn recorded(
    log: &Journal,
    store: &Store,
    payment: &PaymentKey,
    found: &Found,
) -> Result<Outcome, Failure> {
    let (key, line) = (&found.object_key, found.object_line);
    let origin = origin::read(log, key, line).await?;
    let ledger = Ledger::ask(store, key, line, &origin).await?;
    let conflicts = store.conflicts_of(payment).await?;
    let mut hops = Hops::default();
    let request = found.request_id.as_ref().map(ToString::to_string);
    hops.add(
        "accepted",
        found.received_at,
        format!("request {}", request.as_deref().unwrap_or("unknown")),
    );
    let key = safe(key.as_str());
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
    if let Some(entry) = ledger.last() {
        hops.add(
            "ingested",
            entry.ingested_at,
            format!("ingested_objects, {} lines", entry.lines),
        );
    }
    for conflict in &conflicts {
        hops.add("conflict", conflict.recorded_at, other_content(conflict));
    }
    let rows = store.rows_of(&[payment]).await?;
    let row = rows.iter().next();
    let (said, mut outcome) = compare(&origin, &ledger, row.as_ref());
    output::say(&about(payment, found))?;
    output::say(&hops.table())?;
    output::say(&format!("the log: {said}\n"))?;
    for conflict in &conflicts {
        let (said, of_conflict) = origin::of_conflict(log, store, conflict, row.as_ref()).await?;
        if of_conflict != Outcome::Clean {
            output::say(&format!("{}: {said}\n", other_content(conflict)))?;
        }
        outcome = outcome.and(of_conflict);
    }
    if conflicts.len() >= LISTED_MAX {
        output::say("it may have more conflicts: payctl reconcile\n")?;
        outcome = outcome.and(Outcome::Unfinished);
    }
    Ok(outcome)
}

fn other_content(conflict: &Conflict) -> String {
    let (key, line) = (safe(&conflict.object_key), conflict.object_line);
    format!("other content, {key} line {line}")
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
