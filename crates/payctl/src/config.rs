//! Configuration, from the variables that the programs read.

use std::path::PathBuf;

use payment_store::{Database, Store};
use tier_kit::Env;
use tier_kit::telemetry::chain;

pub const HELP: &str = "\
Environment variables, each read by the commands that need it:
  LOG_BUCKET               S3 bucket of the log
  LOG_PREFIX               what every key starts with [transactions/]
  DATABASE_URL             mysql://USER:PASSWORD@HOST:3306/payments; USER is reader, for replay ingest, for migrate migrator
  DB_CA_BUNDLE             file of CA certificates, e.g. the bundle of RDS [optional]
  ALB_URL                  the external load balancer, e.g. http://127.0.0.1:8080
  DEAD_LETTER_QUEUE_URL    SQS queue of the events that the function gave up
  AWS_…                    region, endpoints and credentials, as the AWS SDK reads them

Exit status: 0 clean, 1 a difference or a no, 2 could not be finished, 64 wrong usage or configuration.";

/// Where the log is.
#[derive(Debug, Clone)]
pub struct Place {
    pub bucket: String,
    pub prefix: String,
}

pub fn place(env: &mut Env) -> Option<Place> {
    let prefix = env.or("LOG_PREFIX", "transactions/".to_owned());
    let bucket = env.required("LOG_BUCKET")?;
    Some(Place { bucket, prefix })
}

/// The rows, by at most `connections` connections.
pub fn store(env: &mut Env, connections: u32) -> Option<Store> {
    let ca_bundle: Option<PathBuf> = env.optional("DB_CA_BUNDLE");
    let Some(url) = env.secret("DATABASE_URL") else {
        env.mistake("DATABASE_URL is not set");
        return None;
    };
    match Database::parse(url.expose(), ca_bundle.as_deref()) {
        Ok(database) => Some(Store::new(database.pool(connections))),
        Err(error) => {
            env.mistake(format!("DATABASE_URL: {}", chain(&error)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_and_no_password() {
        let mut env = Env::from([("DATABASE_URL", "postgres://u:hunter2@h/d")]);
        let (place, store) = (place(&mut env), store(&mut env, 1));
        let text = env
            .finish(|| Some((place?, store?)))
            .unwrap_err()
            .to_string();
        for part in [
            "2 mistake(s)",
            "LOG_BUCKET is not set",
            "must start with mysql://",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}
