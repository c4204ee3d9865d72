//! `payctl users`.

use payment_store::users::{self, Logins, is_plain};
use program::Env;

use super::migrate::{failure, summary};
use crate::config::{self, User};
use crate::outcome::{Failure, Outcome};
use crate::output;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The users log in by IAM tokens, as RDS and Aurora know them, and have no passwords
    #[arg(long)]
    iam: bool,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let access = config::access(&mut env, User::Admin);
    let logins = if args.iam {
        Some(Logins::Iam)
    } else {
        passwords(&mut env)
    };
    let (access, logins) = env
        .finish(|| Some((access?, logins?)))
        .map_err(Failure::config)?;
    let migrated = users::prepare(&*access, &logins).await.map_err(failure)?;
    let way = if args.iam { "IAM tokens" } else { "passwords" };
    output::say(&format!(
        "{}ingest, reader and migrator log in by {way}\n",
        summary(&migrated)
    ))?;
    Ok(Outcome::Clean)
}

fn passwords(env: &mut Env) -> Option<Logins> {
    let [migrator, ingest, reader] =
        ["MIGRATOR_PASSWORD", "INGEST_PASSWORD", "READER_PASSWORD"].map(|name| password(env, name));
    Some(Logins::Passwords([migrator?, ingest?, reader?]))
}

fn password(env: &mut Env, name: &'static str) -> Option<String> {
    let password: String = env.required(name)?;
    if !is_plain(&password) {
        env.mistake(format!(
            "{name} must be at least 16 letters and digits, and nothing else"
        ));
        return None;
    }
    Some(password)
}
