//! `payctl client`: who may pay.

mod keys;
mod list;

use std::num::NonZeroU32;
use std::path::PathBuf;

use clients::{Limits, PAGE};
use payment_core::{ClientName, Timestamp};
use program::Env;

use self::keys::Made;
use crate::clients_file::{self, Change, ChangeError};
use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::range::parse_from;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// File of clients [default: `CLIENTS_FILE`]
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a client and print its key, which is shown only now; `page` is the pay page and gets none
    Add {
        name: ClientName,
        #[command(flatten)]
        limits: LimitArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// List clients with their limits and keys
    List {
        /// A line of JSON for each key, and for each client without one
        #[arg(long)]
        json: bool,
    },
    /// Give a client one more key and print it, which is shown only now; revoke the old one once it is out of use
    Rotate {
        name: ClientName,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Remove a key, or a client with all its keys; the web tier refuses them within two seconds
    Revoke {
        name: ClientName,
        /// Id of the key [default: all, and the client]
        key: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct LimitArgs {
    /// Requests per second [default: no limit]
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// Requests at once, before the rate counts [default: the rate]
    #[arg(long, requires = "rate")]
    burst: Option<NonZeroU32>,
    /// Payments in flight [default: no limit]
    #[arg(long)]
    in_flight: Option<NonZeroU32>,
}

#[derive(Debug, clap::Args)]
struct KeyArgs {
    /// When the key stops being valid: a date or a time [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_from)]
    expires: Option<Timestamp>,
    /// Make a key pair that signs requests, and write its secret half to this new file, for payctl pay --sign
    #[arg(long, value_name = "KEYFILE", conflicts_with = "hmac")]
    ed25519: Option<PathBuf>,
    /// Make a shared secret that signs requests, and write it to this new file; the file of clients holds it, too
    #[arg(long, value_name = "KEYFILE")]
    hmac: Option<PathBuf>,
}

pub fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let by_environment = env.optional("CLIENTS_FILE");
    let Some(path) = args.file.or(by_environment) else {
        return Err(Failure::config(
            "name the file of clients with --file or CLIENTS_FILE",
        ));
    };
    match args.command {
        Command::Add { name, limits, key } => {
            let mut change = Change::begin(&path).map_err(failure)?;
            change.add(&name, &limits.into()).map_err(failure)?;
            if name.as_str() == PAGE {
                change.save().map_err(failure)?;
                output::say("client page may pay: requests of the pay page, which have no key\n")?;
                return Ok(Outcome::Clean);
            }
            add_key(change, &name, key)
        }
        Command::Rotate { name, key } => {
            if name.as_str() == PAGE {
                return Err(Failure::config("the client page has no keys"));
            }
            add_key(Change::begin(&path).map_err(failure)?, &name, key)
        }
        Command::Revoke { name, key } => {
            let mut change = Change::begin(&path).map_err(failure)?;
            match &key {
                Some(key) => change.remove_key(&name, key).map_err(failure)?,
                None => change.remove(&name).map_err(failure)?,
            }
            change.save().map_err(failure)?;
            let what = key.map_or_else(String::new, |key| format!(", key {}", output::safe(&key)));
            output::say(&format!("revoked: client {name}{what}\n"))?;
            Ok(Outcome::Clean)
        }
        Command::List { json } => {
            list::show(&clients_file::read(&path).map_err(failure)?, json)?;
            Ok(Outcome::Clean)
        }
    }
}

fn add_key(mut change: Change, name: &ClientName, args: KeyArgs) -> Result<Outcome, Failure> {
    let KeyArgs {
        expires,
        ed25519,
        hmac,
    } = args;
    let made = match (ed25519, hmac) {
        (Some(path), _) => Made::signing("ed25519", path)?,
        (None, Some(path)) => Made::signing("hmac-sha256", path)?,
        (None, None) => Made::bearer()?,
    };
    let key = made.entry(expires);
    let id = key.id.clone();
    change.add_key(name, key).map_err(failure)?;
    made.hand_out(name, || change.save().map_err(failure))?;
    if let Some(key) = made.shown() {
        output::say(&format!(
            "client {name}, key {id}, shown only now:\n{key}\n"
        ))?;
    } else {
        output::say(&format!("client {name}, key {id}\n"))?;
    }
    Ok(Outcome::Clean)
}

/// What is asked for does not fit the file: nothing was done.
fn failure(error: ChangeError) -> Failure {
    match error {
        ChangeError::Io { .. } | ChangeError::Busy(_) => error.into(),
        other => Failure::config(other),
    }
}

impl From<LimitArgs> for Limits {
    fn from(args: LimitArgs) -> Self {
        let LimitArgs {
            rate,
            burst,
            in_flight,
        } = args;
        Self {
            rate,
            burst,
            in_flight,
        }
    }
}
