//! `payctl migrate`.

use std::fmt::{self, Write as _};

use payment_store::{MigrateError, Migrated};

use crate::cli::{Failure, Verdict};
use crate::output;

#[derive(clap::Args)]
pub struct Args {
    /// Database as the user `migrator`: `mysql://migrator:password@host/payments`, and for a host that is not
    /// this machine `?ssl-ca=FILE` with its CA bundle
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

pub async fn run(args: Args) -> Result<Verdict, Failure> {
    match payment_store::migrate(&args.database_url).await {
        Ok(migrated) => output::say(&summary(&migrated))?,
        Err(error @ MigrateError::Config(_)) => return Err(Failure::config(error)),
        Err(error) => return Err(error.into()),
    }
    Ok(Verdict::Clean)
}

fn summary(migrated: &Migrated) -> String {
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

/// Without the URL, which holds a password.
impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args").finish_non_exhaustive()
    }
}
