//! `payctl trace`: every hop of one payment.

mod hops;
mod origin;
mod recorded;
mod search;

use std::io;
use std::sync::Arc;

use payment_core::client::InvalidClientName;
use payment_core::{ClientName, PaymentId, PaymentKey, PaymentState};
use payment_store::Store;
use payment_store::audit::{LISTED_MAX, Row, Rows};
use program::{Env, chain};

use self::search::{Wanted, Window};
use crate::clock;
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
    clock::expect_right(&store).await?;
    output::say(&output::lines(&format!("journal {}", log.place)))?;
    let rows = rows(&store, &args).await?;
    let rows: Vec<Row<'_>> = rows.iter().collect();
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
    for row in &rows {
        outcome = outcome.and(recorded::show(&log, &store, row).await?);
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

/// The rows of the id, at most [`LISTED_MAX`].
async fn rows(store: &Store, args: &Args) -> Result<Rows, payment_store::Error> {
    let Some(client) = args.client.clone() else {
        return store.rows_of_id(&args.id).await;
    };
    let id = args.id.clone();
    store.rows_of(&[&PaymentKey { id, client }]).await
}

/// Says what a client is told. Without an answer about the payment the rest can still be traced, and a part was not
/// looked at. Of a payment with a row, every node has to say that it is recorded.
async fn answer(alb: &PayClient, id: &PaymentId, is_recorded: bool) -> io::Result<Outcome> {
    let (said, outcome) = match alb.status(id).await {
        Ok(answer) => {
            let outcome = match answer.state_of(id.as_str()) {
                Some(PaymentState::Recorded) => Outcome::Clean,
                // Its conflicts are held against their lines below.
                Some(PaymentState::Conflict) if is_recorded => Outcome::Clean,
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
