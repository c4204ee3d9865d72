//! Configuration, from the variables that the programs read.

use std::fmt;
use std::sync::Arc;

use payment_core::event::ObjectRef;
use payment_store::{LoginSource, Pool, Store};
use program::Env;

pub const HELP: &str = "\
Environment variables, each read by the commands that need it:
  LOG_BUCKET               S3 bucket of the log
  LOG_PREFIX               what every key starts with [transactions/]
  DATABASE_URL             mysql://USER:PASSWORD@HOST:3306/payments; USER is reader, for replay ingest, for migrate migrator
  DB_HOST                  in place of DATABASE_URL: host of the database, with DB_PORT [3306], DB_NAME [payments]
                           and DB_USER [reader; replay: ingest; migrate: migrator; users: admin]; and one of
  DB_PASSWORD              password
  DB_SECRET_ARN            secret of Secrets Manager with user and password, as RDS makes it
  DB_IAM_AUTH              true: the role logs in, by an IAM token
  DB_CA_BUNDLE             file of CA certificates, e.g. the bundle of RDS [optional]
  INGEST_PASSWORD          what `users` is to set, with READER_PASSWORD and MIGRATOR_PASSWORD; not with --iam
  ALB_URL                  the external load balancer, e.g. http://127.0.0.1:8080 or https://pay.example.com
  ALB_CA_FILE              file of CA certificates that ALB_URL's is verified against [those of the system]
  PAY_KEY                  key of the client that pay, status and trace are [optional]
  CLIENTS_FILE             the web tier's file of clients, which client changes and doctor looks at
  SSL_CERT_FILE            file of CA certificates in place of the system's [optional]
  DEAD_LETTER_QUEUE_URL    SQS queue of the events that the function gave up
  AWS_…                    region, endpoints and credentials, as the AWS SDK reads them

Exit status: 0 clean, 1 a difference or a refusal, 2 could not be finished, 64 wrong usage or configuration.";

/// Location of the journal.
#[derive(Debug, Clone)]
pub struct JournalLocation {
    pub bucket: String,
    pub prefix: String,
}

impl JournalLocation {
    /// Whether it is an object of the journal.
    pub fn holds(&self, object: &ObjectRef) -> bool {
        object.bucket == self.bucket && object.key.as_str().starts_with(&self.prefix)
    }
}

impl fmt::Display for JournalLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

pub fn place(env: &mut Env) -> Option<JournalLocation> {
    let prefix = env.or("LOG_PREFIX", "transactions/".to_owned());
    let bucket = env.required("LOG_BUCKET")?;
    if !prefix.ends_with('/') {
        env.mistake("LOG_PREFIX must end with /, or other keys would start with it");
        return None;
    }
    Some(JournalLocation { bucket, prefix })
}

/// The rows as `user`, by at most `connections` connections.
pub fn store(env: &mut Env, user: User, connections: u32) -> Option<Store> {
    let access = access(env, user)?;
    Some(Store::new(Pool::new(access, connections)))
}

/// The database user of a command, if the configuration does not name one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    Reader,
    Ingest,
    Migrator,
    Admin,
}

pub fn access(env: &mut Env, user: User) -> Option<Arc<dyn LoginSource>> {
    let user = match user {
        User::Reader => "reader",
        User::Ingest => "ingest",
        User::Migrator => "migrator",
        User::Admin => "admin",
    };
    database_login::required(env, user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_and_no_password() {
        let mut env = Env::from([("DATABASE_URL", "postgres://u:hunter2@h/d")]);
        let (place, store) = (place(&mut env), store(&mut env, User::Reader, 1));
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
