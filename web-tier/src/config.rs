//! The web tier's configuration.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clients::Registry;
use clients::load::{Stamp, load};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use http_service::admin::Admin;
use http_service::server::Listen;
use http_service::spans::Collector;
use payment_core::CardCheck;
use program::env::{Env, Mistakes, Variable};

const CLIENTS_FILE: &str = "CLIENTS_FILE";
const ADDRESS_RATE: &str = "ADDRESS_RATE";

pub const VARIABLES: &[Variable] = &[
    Listen::ADDR,
    Listen::DRAIN,
    Admin::ADDR,
    Collector::ENDPOINT,
    Variable {
        name: "APP_TIER_URL",
        default: "required",
        help: "internal load balancer, e.g. http://internal-alb:3000",
    },
    Variable {
        name: CLIENTS_FILE,
        default: "open intake",
        help: "file of the clients that may pay, TOML; read again when it changes",
    },
    Variable {
        name: ADDRESS_RATE,
        default: "no limit",
        help: "requests per second of one address, for callers without a key",
    },
    Variable {
        name: CardCheck::VARIABLE,
        default: "optional",
        help: "as for the app tier: the same value",
    },
];

#[derive(Debug, Clone)]
pub struct Config {
    pub listen: Listen,
    pub admin: SocketAddr,
    pub spans: Option<Collector>,
    pub app_tier: Origin,
    pub cards: CardCheck,
    /// `None`: intake is open.
    pub clients: Option<ClientsFile>,
    /// Requests per second of one address.
    pub address_rate: Option<NonZeroU32>,
}

/// The file of clients, as it was at the start.
#[derive(Debug, Clone)]
pub struct ClientsFile {
    pub path: PathBuf,
    pub registry: Registry,
    pub stamp: Stamp,
}

impl ClientsFile {
    /// Every mistake in the file is one of the configuration.
    fn from_env(env: &mut Env) -> Option<Self> {
        let path: PathBuf = env.optional(CLIENTS_FILE)?;
        match load(&path) {
            Ok((registry, stamp)) => Some(Self {
                path,
                registry,
                stamp,
            }),
            Err(error) => {
                for mistake in error.lines() {
                    env.mistake(format!("{CLIENTS_FILE}={}: {mistake}", path.display()));
                }
                None
            }
        }
    }
}

impl Config {
    pub fn from_env(mut env: Env) -> Result<Self, Mistakes> {
        env.refuse_unknown(
            &["ADDRESS_", "ADMIN_", "APP_TIER_", "CARD_", "CLIENTS_"],
            VARIABLES,
        );
        let listen = Listen::from_env(&mut env);
        let admin = Admin::addr_from_env(&mut env);
        let spans = env.optional(Collector::ENDPOINT.name);
        let app_tier: Option<Origin> = env.required("APP_TIER_URL");
        let cards = env.or(CardCheck::VARIABLE, CardCheck::ALL);
        let clients = ClientsFile::from_env(&mut env);
        let address_rate = env.optional(ADDRESS_RATE);
        env.finish(|| {
            Some(Self {
                listen,
                admin,
                spans,
                app_tier: app_tier?,
                cards,
                clients,
                address_rate,
            })
        })
    }
}

/// `http://host:port` and nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Authority);

impl Origin {
    /// `host:port`, to connect to.
    pub fn address(&self) -> String {
        let port = self.0.port_u16().unwrap_or(80);
        format!("{}:{port}", self.0.host())
    }

    /// The value of the header Host.
    pub fn host(&self) -> HeaderValue {
        // An authority has no character that a header can't hold.
        HeaderValue::from_str(self.0.as_str()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "must be http://HOST:PORT without a path; the internal load balancer speaks plain HTTP";
        let parts = text.parse::<Uri>().map_err(|_| FORM)?.into_parts();
        let bare = parts.path_and_query.is_none_or(|path| path == "/");
        match (parts.scheme, parts.authority) {
            (Some(scheme), Some(origin))
                if bare && scheme == Scheme::HTTP && !origin.as_str().contains('@') =>
            {
                Ok(Self(origin))
            }
            _ => Err(FORM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_is_an_origin() {
        for good in [
            "http://127.0.0.1:8081",
            "http://internal-alb:3000/",
            "http://[::1]:1",
        ] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "internal-alb:3000",
            "https://internal-alb",
            "http://h/process",
            "http://u:p@h/",
            "ftp://h",
            "http://h?x=1",
            "http://",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_mistake_is_named() {
        let env = Env::from([
            ("LISTEN_ADDR", "3000"),
            ("APP_TIER_URI", "http://h"),
            ("DRAIN_SECONDS", "soon"),
        ]);
        let text = Config::from_env(env).unwrap_err().to_string();
        assert!(text.contains("4 mistake(s)"), "{text}");
    }

    #[test]
    fn the_example_for_systemd_is_a_configuration() {
        let example = include_str!("../../deploy-notes/systemd/web-tier.env.example");
        let config = Config::from_env(Env::from_file(example)).unwrap();
        assert_eq!(config.listen.drain.as_secs(), 25);
    }
}
