//! The function's configuration.

use std::path::PathBuf;

use payment_store::Database;
use tier_kit::env::{Env, Mistakes, Variable};

/// The sweep looks this far back: longer than Lambda keeps trying an event (6 h).
const SWEEP_HOURS: u16 = 24;

/// A listing per hour is made on every sweep.
const SWEEP_HOURS_MAX: u16 = 24 * 14;

const PORT: u16 = 3306;

pub const VARIABLES: &[Variable] = &[
    Variable { name: "DATABASE_URL", default: "or DB_HOST", help: "mysql://ingest:PASSWORD@HOST:3306/payments" },
    Variable { name: "DB_HOST", default: "or DATABASE_URL", help: "host of the database" },
    Variable { name: "DB_PORT", default: "3306", help: "port of the database" },
    Variable { name: "DB_NAME", default: "payments", help: "schema" },
    Variable { name: "DB_USER", default: "ingest", help: "user" },
    Variable { name: "DB_PASSWORD", default: "with DB_HOST", help: "password" },
    Variable { name: "DB_CA_BUNDLE", default: "optional", help: "file of CA certificates, e.g. the bundle of RDS" },
    Variable { name: "LOG_BUCKET", default: "for the sweep", help: "S3 bucket that the sweep lists" },
    Variable { name: "LOG_PREFIX", default: "transactions/", help: "what every key starts with" },
    Variable { name: "SWEEP_HOURS", default: "24", help: "how far back the sweep looks" },
];

#[derive(Debug, Clone)]
pub struct Config {
    pub database: Database,
    pub sweep: Sweep,
}

/// Where the sweep looks.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub bucket: Option<String>,
    pub prefix: String,
    pub hours: u16,
}

impl Config {
    pub fn from_env(mut env: Env) -> Result<Self, Mistakes> {
        env.refuse_unknown(&["DB_", "SWEEP_", "LOG_"], VARIABLES);
        let database = database(&mut env);
        let sweep = Sweep {
            bucket: env.optional("LOG_BUCKET"),
            prefix: env.or("LOG_PREFIX", "transactions/".to_owned()),
            hours: env.or("SWEEP_HOURS", SWEEP_HOURS),
        };
        if !(1..=SWEEP_HOURS_MAX).contains(&sweep.hours) {
            env.mistake(format!("SWEEP_HOURS must be from 1 to {SWEEP_HOURS_MAX}"));
        }
        env.finish(|| Some(Self { database: database?, sweep }))
    }
}
