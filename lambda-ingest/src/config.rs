//! The function's configuration.

use std::sync::Arc;

use database_login::variables;
use payment_store::LoginSource;
use program::env::{Env, EnvErrors, Variable};

/// The first sweep begins this far back: longer than Lambda keeps trying an event (6 h). Later ones go on where the one
/// before stopped.
const SWEEP_HOURS: u16 = 24;

/// Two weeks.
const SWEEP_HOURS_MAX: u16 = 24 * 14;

/// INSERT and SELECT, and nothing else.
const USER: &str = "ingest";

pub const VARIABLES: &[&[Variable]] = &[
    &[Variable {
        name: "DATABASE_URL",
        default: "or DB_HOST",
        help: "mysql://ingest:PASSWORD@HOST:3306/payments",
    }],
    &variables::in_parts(USER),
    &[
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
            help: "how far back the first sweep of a journal begins",
        },
        aws_clients::VARIABLES,
    ],
];

#[derive(Debug, Clone)]
pub struct Config {
    pub database: Arc<dyn LoginSource>,
    pub sweep: Sweep,
}

/// What the sweep lists.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub bucket: Option<String>,
    pub prefix: String,
    pub hours: u16,
}

impl Config {
    pub fn from_env(mut env: Env) -> Result<Self, EnvErrors> {
        env.refuse_unknown(&["DB_", "SWEEP_", "LOG_"], VARIABLES);
        let database = database_login::required(&mut env, USER);
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
        assert!(mistakes([]).contains("set DATABASE_URL or DB_HOST"));
        assert!(mistakes([("DB_HOST", "h")]).contains("set one of DB_PASSWORD, DB_SECRET_ARN"));
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
