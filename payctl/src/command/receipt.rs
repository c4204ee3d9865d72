//! `payctl receipt`.

mod checkpoint;
mod proof;
mod vouchers;

use std::path::{Path, PathBuf};

use payment_core::{ClientName, PaymentId, PaymentKey};
use program::Env;

use self::proof::{Receipt, Verdict};
use super::status;
use crate::config::{self, User};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::proof::key::AnyKey;
use crate::text_file;

/// Objects that are read at one time.
const JOBS: usize = 8;

/// A checkpoint of a year has 3 MiB, a record 16 KiB: the file may be anybody's.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// The payment's id
    #[arg(value_parser = status::id, required = true)]
    id: Option<PaymentId>,
    /// The client whose payment it is
    #[arg(long, value_name = "NAME")]
    client: Option<ClientName>,
    /// A file of checkpoints of verify: the one that holds the payment's hour becomes part of the receipt
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Prove a receipt against the journal: the record, its object and the header that names the object
    Check {
        file: PathBuf,
        /// The public key that its checkpoint is to be signed with [default: the key that the checkpoint names, which is
        /// printed]; a receipt without a checkpoint is not proven then
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub async fn run(args: Args, env: Env) -> Result<Outcome, Failure> {
    match (args.action, args.id) {
        (Some(Action::Check { file, key }), _) => check(&file, key.as_deref(), env).await,
        (None, Some(id)) => {
            let client = args.client.unwrap_or_default();
            let payment = PaymentKey { id, client };
            print(payment, args.checkpoints.as_deref(), env).await
        }
        (None, None) => Err(Failure::config("which payment? payctl receipt ID")),
    }
}

async fn print(
    payment: PaymentKey,
    checkpoints: Option<&Path>,
    mut env: Env,
) -> Result<Outcome, Failure> {
    let place = config::place(&mut env);
    let store = config::store(&mut env, User::Reader, 1);
    let (place, store) = env
        .finish(|| Some((place?, store?)))
        .map_err(Failure::config)?;
    let log = Journal::open(place).await.map_err(Failure::config)?;
    let rows = store.rows_of(&[&payment]).await?;
    let Some(row) = rows.iter().next() else {
        output::warn(&format!(
            "payment {payment} has no row; payctl trace says what is known of it"
        ));
        return Ok(Outcome::Different);
    };
    match Receipt::of(&log, &row, checkpoints).await? {
        Ok(receipt) => {
            output::say_json(&receipt)?;
            if checkpoints.is_some() && receipt.checkpoint.is_none() {
                output::warn("no checkpoint holds its hour yet");
                return Ok(Outcome::Unfinished);
            }
            Ok(Outcome::Clean)
        }
        Err(why) => {
            output::warn(&format!("no receipt: {why}; payctl trace says more"));
            Ok(Outcome::Different)
        }
    }
}

async fn check(file: &Path, key: Option<&Path>, mut env: Env) -> Result<Outcome, Failure> {
    let key = key.map(AnyKey::read).transpose()?;
    let key = key.and_then(|key| key.public());
    let place = config::place(&mut env);
    let place = env.finish(|| place).map_err(Failure::config)?;
    let unusable =
        |why: &dyn std::fmt::Display| Failure::config(format!("{}: {why}", file.display()));
    let text = text_file::read(file, FILE_BYTES_MAX).map_err(|error| unusable(&error))?;
    let receipt: Receipt =
        serde_json::from_str(&text).map_err(|_| unusable(&"it is no receipt of payctl"))?;
    let log = Journal::open(place).await.map_err(Failure::config)?;
    Ok(match receipt.held(&log, key).await? {
        Verdict::Proven(what) => {
            output::say(&output::lines(&format!("proven: {what}")))?;
            Outcome::Clean
        }
        Verdict::Unvouched(what) => {
            output::say(&output::lines(&format!("not proven: {what}")))?;
            Outcome::Unfinished
        }
        Verdict::Wrong(faults) => {
            for fault in &faults {
                output::say(&output::lines(&format!("not proven: {fault}")))?;
            }
            Outcome::Different
        }
    })
}
