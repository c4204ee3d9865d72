//! The app tier's configuration.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use database_login::variables;
use http_service::admin::Admin;
use http_service::server::Listen;
use http_service::spans::Collector;
use payment_core::CardCheck;
use payment_store::LoginSource;
use program::env::{Env, EnvErrors, Variable};

use crate::committer::{Layout, Settings};
use crate::journal::Encryption;

/// PUTs at work at one time, for a whole batch each.
const BATCH_PUTS: usize = 4;

/// PUTs at work at one time where each holds one payment.
const OBJECT_PUTS: usize = 256;

/// Longest prefix of keys, in bytes: every key of this tier fits S3 and the tables, or the function could not record it.
const PREFIX_BYTES_MAX: usize = 500;

/// SELECT, and nothing else.
const USER: &str = "reader";

/// Every variable that is read, with its default, for `--help`.
pub const VARIABLES: &[&[Variable]] = &[
    http_service::VARIABLES,
    &[
        Variable {
            name: "LOG_BUCKET",
            default: "required",
            help: "S3 bucket of the log",
        },
        Variable {
            name: "LOG_PREFIX",
            default: "transactions/",
            help: "what every key starts with",
        },
        Variable {
            name: "LOG_LAYOUT",
            default: "batch",
            help: "batch: payments share objects; object: one each",
        },
        Variable {
            name: "LOG_MAX_IN_FLIGHT_PUTS",
            default: "4",
            help: "PUTs at one time (256 with LOG_LAYOUT=object)",
        },
        Variable {
            name: "LOG_LINGER_MS",
            default: "0",
            help: "wait this long for a fuller batch: cheaper, slower",
        },
        Variable {
            name: "LOG_RECORD_VERSION",
            default: "3",
            help: "3: batches begin with a header that vouches for earlier ones; 2: without, for functions that do not know it",
        },
        Variable {
            name: "S3_SSE",
            default: "AES256",
            help: "AES256, aws:kms or none",
        },
        Variable {
            name: "S3_SSE_KMS_KEY_ID",
            default: "optional",
            help: "key for aws:kms",
        },
        Variable {
            name: "DATABASE_URL",
            default: "optional",
            help: "mysql:// as user reader: knows repeats of other nodes, and tells what became of a payment",
        },
    ],
    &variables::in_parts(USER),
    &[
        Variable {
            name: CardCheck::VARIABLE,
            default: "optional",
            help: "members that are not searched for card numbers, comma-separated; puts what stores them in scope of PCI DSS",
        },
        aws_clients::VARIABLES,
    ],
];

/// Everything that the program is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: Listen,
    pub admin: SocketAddr,
    pub spans: Option<Collector>,
    pub bucket: String,
    pub encryption: Encryption,
    pub commit: Settings,
    pub database: Option<Arc<dyn LoginSource>>,
    pub cards: CardCheck,
}

impl Config {
    /// Reads the variables; all mistakes are reported at once.
    pub fn from_env(mut env: Env) -> Result<Self, EnvErrors> {
        env.refuse_unknown(
            &["ADMIN_", "CARD_", "DB_", "LOG_", "S3_", "TLS_"],
            VARIABLES,
        );
        let listen = Listen::from_env(&mut env);
        let admin = Admin::addr_from_env(&mut env);
        let spans = env.optional(Collector::ENDPOINT.name);
        let bucket: Option<String> = env.required("LOG_BUCKET");
        let commit = commit_settings(&mut env);
        let encryption = encryption(&mut env);
        let database = database_login::optional(&mut env, USER);
        let cards = env.or(CardCheck::VARIABLE, CardCheck::ALL);
        env.finish(|| {
            Some(Self {
                listen,
                admin,
                spans,
                bucket: bucket?,
                encryption,
                commit,
                database,
                cards,
            })
        })
    }
}

fn commit_settings(env: &mut Env) -> Settings {
    let layout = env.or("LOG_LAYOUT", Layout::Batch);
    let puts_by_default = match layout {
        Layout::Batch => BATCH_PUTS,
        Layout::Object => OBJECT_PUTS,
    };
    let settings = Settings {
        prefix: env.or("LOG_PREFIX", "transactions/".to_owned()),
        layout,
        puts_max: env.or("LOG_MAX_IN_FLIGHT_PUTS", puts_by_default),
        linger: Duration::from_millis(env.or("LOG_LINGER_MS", 0)),
        headers: env.or("LOG_RECORD_VERSION", RecordVersion::V3) == RecordVersion::V3,
    };
    if settings.prefix.len() > PREFIX_BYTES_MAX {
        env.mistake("LOG_PREFIX must have at most 500 bytes");
    }
    if !(1..=1024).contains(&settings.puts_max) {
        env.mistake("LOG_MAX_IN_FLIGHT_PUTS must be from 1 to 1024");
    }
    if settings.linger > Duration::from_secs(1) {
        env.mistake("LOG_LINGER_MS must be at most 1000: clients wait for it");
    }
    settings
}

fn encryption(env: &mut Env) -> Encryption {
    let encryption = env.or("S3_SSE", Encryption::S3);
    match (encryption, env.optional::<String>("S3_SSE_KMS_KEY_ID")) {
        (Encryption::Kms { .. }, key_id) => Encryption::Kms { key_id },
        (other, None) => other,
        (other, Some(_)) => {
            env.mistake("S3_SSE_KMS_KEY_ID is set, but S3_SSE is not aws:kms");
            other
        }
    }
}

/// The newest version of the lines that this tier writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordVersion {
    V2,
    V3,
}

impl FromStr for RecordVersion {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "2" => Ok(Self::V2),
            "3" => Ok(Self::V3),
            _ => Err("must be 2 or 3"),
        }
    }
}

impl FromStr for Layout {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "batch" => Ok(Self::Batch),
            "object" => Ok(Self::Object),
            _ => Err("must be batch or object"),
        }
    }
}

impl FromStr for Encryption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "AES256" => Ok(Self::S3),
            "aws:kms" => Ok(Self::Kms { key_id: None }),
            "none" => Ok(Self::Unstated),
            _ => Err("must be AES256, aws:kms or none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use payment_core::client::CLIENT_NAME_BYTES_MAX;
    use payment_core::id::ID_BYTES_MAX;
    use payment_core::{ObjectKey, PaymentKey, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn defaults_are_those_of_the_manual() {
        let config = Config::from_env(Env::from([("LOG_BUCKET", "b")])).unwrap();
        assert_eq!(config.listen.addr.to_string(), "0.0.0.0:3000");
        assert_eq!(
            (config.commit.prefix.as_str(), config.commit.puts_max),
            ("transactions/", 4)
        );
        assert_eq!(config.encryption, Encryption::S3);
        assert!(config.commit.headers);
        let object =
            Config::from_env(Env::from([("LOG_BUCKET", "b"), ("LOG_LAYOUT", "object")])).unwrap();
        assert_eq!(object.commit.puts_max, 256);
        let old = Env::from([("LOG_BUCKET", "b"), ("LOG_RECORD_VERSION", "2")]);
        assert!(!Config::from_env(old).unwrap().commit.headers);
    }

    #[test]
    fn every_mistake_is_named() {
        let env = Env::from([
            ("LOG_LAYOUT", "rows"),
            ("LOG_LINGER_MS", "5000"),
            ("LOG_MAX_IN_FLIGHT_PUTS", "0"),
            ("LOG_RECORD_VERSION", "1"),
            ("S3_SSE", "yes"),
            ("S3_SSE_KMS_KEY_ID", "k"),
            ("LOG_BUKKET", "b"),
            ("DATABASE_URL", "postgres://u:hunter2@h/d"),
        ]);
        let text = Config::from_env(env).unwrap_err().to_string();
        assert!(text.contains("9 mistake(s)"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn p2_every_key_of_this_tier_can_be_recorded() {
        let with_prefix = |bytes: usize| {
            let prefix = "p".repeat(bytes);
            let config = Config::from_env(Env::from([
                ("LOG_BUCKET", "b"),
                ("LOG_PREFIX", prefix.as_str()),
            ]));
            config.map(|config| config.commit.prefix)
        };
        assert!(with_prefix(PREFIX_BYTES_MAX + 1).is_err());
        let longest = with_prefix(PREFIX_BYTES_MAX).unwrap();
        let (id, client) = ("i".repeat(ID_BYTES_MAX), "c".repeat(CLIENT_NAME_BYTES_MAX));
        let payment = PaymentKey::from_stored(&id, &client).unwrap();
        let node = "f".repeat(32);
        for key in [
            ObjectKey::single(&longest, &payment),
            ObjectKey::batch(&longest, Timestamp::EPOCH, Uuid::nil(), &node),
        ] {
            assert!(key.is_recordable(), "{key}");
        }
    }

    #[test]
    fn the_example_for_systemd_is_a_configuration() {
        let example = include_str!("../../deploy-notes/systemd/app-tier.env.example");
        let config = Config::from_env(Env::from_file(example)).unwrap();
        assert_eq!(config.bucket, "fintech-payment-pipeline");
        assert!(config.database.is_none());

        // What it leaves to be chosen, but for a file that is not here.
        let chosen = example.replace("\n#DB_", "\nDB_");
        let chosen = chosen.replace("\nDB_CA_BUNDLE", "\n#DB_CA_BUNDLE");
        let config = Config::from_env(Env::from_file(&chosen)).unwrap();
        let database = format!("{:?}", config.database);
        assert!(database.contains("TokenAccess"), "{database}");
    }
}
