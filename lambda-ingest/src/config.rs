//! The function's configuration.

use std::path::PathBuf;

use payment_store::Database;
use tier_kit::env::{Env, Mistakes, Variable};
use tier_kit::telemetry::chain;

/// The sweep looks this far back: longer than Lambda keeps trying an event (6 h).
const SWEEP_HOURS: u16 = 24;

/// A listing per hour is made on every sweep.
const SWEEP_HOURS_MAX: u16 = 24 * 14;

const PORT: u16 = 3306;

pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "DATABASE_URL",
        default: "or DB_HOST",
        help: "mysql://ingest:PASSWORD@HOST:3306/payments",
    },
    Variable {
        name: "DB_HOST",
        default: "or DATABASE_URL",
        help: "host of the database",
    },
    Variable {
        name: "DB_PORT",
        default: "3306",
        help: "port of the database",
    },
    Variable {
        name: "DB_NAME",
        default: "payments",
        help: "schema",
    },
    Variable {
        name: "DB_USER",
        default: "ingest",
        help: "user",
    },
    Variable {
        name: "DB_PASSWORD",
        default: "with DB_HOST",
        help: "password",
    },
    Variable {
        name: "DB_CA_BUNDLE",
        default: "optional",
        help: "file of CA certificates, e.g. the bundle of RDS",
    },
    Variable {
        name: "LOG_BUCKET",
        default: "for the sweep",
        help: "S3 bucket that the sweep lists",
    },
    Variable {
        name: "LOG_PREFIX",
        default: "transactions/",
        help: "what every key starts with",
    },
    Variable {
        name: "SWEEP_HOURS",
        default: "24",
        help: "how far back the sweep looks",
    },
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
        env.finish(|| {
            Some(Self {
                database: database?,
                sweep,
            })
        })
    }
}

fn database(env: &mut Env) -> Option<Database> {
    let ca_bundle: Option<PathBuf> = env.optional("DB_CA_BUNDLE");
    let url = env.secret("DATABASE_URL");
    let host: Option<String> = env.optional("DB_HOST");
    let port = env.or("DB_PORT", PORT);
    let schema = env.or("DB_NAME", "payments".to_owned());
    let user = env.or("DB_USER", "ingest".to_owned());
    let password = env.secret("DB_PASSWORD");
    let database = match (url, host, password) {
        (Some(url), None, _) => Database::parse(url.expose(), ca_bundle.as_deref()),
        (None, Some(host), Some(password)) => Database::from_parts(
            &host,
            port,
            &schema,
            &user,
            password.expose(),
            ca_bundle.as_deref(),
        ),
        (None, Some(_), None) => {
            env.mistake("DB_PASSWORD is not set");
            return None;
        }
        (Some(_), Some(_), _) => {
            env.mistake("DATABASE_URL and DB_HOST are both set; set one of them");
            return None;
        }
        (None, None, _) => {
            env.mistake("neither DATABASE_URL nor DB_HOST is set");
            return None;
        }
    };
    database
        .map_err(|error| env.mistake(format!("the database: {}", chain(&error))))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes<const N: usize>(values: [(&str, &str); N]) -> String {
        Config::from_env(Env::from(values)).unwrap_err().to_string()
    }

    #[test]
    fn the_database_is_given_as_a_url_or_in_parts() {
        let url = Config::from_env(Env::from([(
            "DATABASE_URL",
            "mysql://ingest:hunter2@127.0.0.1/payments",
        )]))
        .unwrap();
        let parts = Config::from_env(Env::from([
            ("DB_HOST", "127.0.0.1"),
            ("DB_PASSWORD", "hunter2"),
        ]))
        .unwrap();
        assert_eq!(
            format!("{:?}", url.database),
            format!("{:?}", parts.database)
        );
        assert!(!format!("{url:?}{parts:?}").contains("hunter2"));
    }

    #[test]
    fn every_mistake_is_named() {
        assert!(mistakes([]).contains("neither DATABASE_URL nor DB_HOST"));
        assert!(mistakes([("DB_HOST", "h")]).contains("DB_PASSWORD is not set"));
        let text = mistakes([
            ("DATABASE_URL", "postgres://u:hunter2@h/d"),
            ("DB_PASWORD", "x"),
            ("SWEEP_HOURS", "0"),
        ]);
        assert!(
            text.contains("3 mistake(s)") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
