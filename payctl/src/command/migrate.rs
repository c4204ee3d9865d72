//! `payctl migrate`.

use std::fmt::Write as _;

use payment_store::{MigrateError, Migrated};
use program::Env;

use crate::config::{self, User};
use crate::outcome::{Failure, Outcome};
use crate::output;

pub async fn run(mut env: Env) -> Result<Outcome, Failure> {
    let access = config::access(&mut env, User::Migrator);
    let access = env.finish(|| access).map_err(Failure::config)?;
    let migrated = payment_store::migrate(&*access).await.map_err(failure)?;
    output::say(&summary(&migrated))?;
    Ok(Outcome::Clean)
}

/// A schema that may not hold the tables is a mistake in the configuration.
pub(super) fn failure(error: MigrateError) -> Failure {
    match error {
        MigrateError::Schema(_) => Failure::config(error),
        other => other.into(),
    }
}

pub(super) fn summary(migrated: &Migrated) -> String {
    let mut text = String::new();
    for (version, name) in &migrated.applied {
        // Writing to a String can't fail.
        let _ = writeln!(text, "applied {version:04} {name}");
    }
    let state = if migrated.applied.is_empty() {
        "was"
    } else {
        "is now"
    };
    let _ = writeln!(text, "the schema {state} at version {}", migrated.version);
    text
}
