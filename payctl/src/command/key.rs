//! `payctl key`.

use std::path::PathBuf;

use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::proof::key::{AnyKey, SigningKey};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make an Ed25519 key, write it to FILE for its owner alone, and print its public half
    New { file: PathBuf },
    /// Print the public half of a key
    Public { file: PathBuf },
}

pub fn run(args: Args) -> Result<Outcome, Failure> {
    let public = match args.action {
        Action::New { file } => SigningKey::create(&file)?.public(),
        Action::Public { file } => AnyKey::read(&file)?.public(),
    };
    output::say(&public.ok_or("the key has no public half")?.pem())?;
    Ok(Outcome::Clean)
}
