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
use program::env::{Env, EnvErrors, Variable};
use tokio_rustls::rustls::pki_types::ServerName;

use crate::upstream;

const CLIENTS_FILE: &str = "CLIENTS_FILE";
const ADDRESS_RATE: &str = "ADDRESS_RATE";

/// Every variable that is read, with its default, for `--help`.
pub const VARIABLES: &[&[Variable]] = &[
    http_service::VARIABLES,
    &[
        Variable {
            name: "APP_TIER_URL",
            default: "required",
            help: "internal load balancer, e.g. http://internal-alb:3000 or https://app.example:3000",
        },
        upstream::CA_FILE,
        Variable {
            name: CLIENTS_FILE,
            default: "open intake",
            help: "file of the clients that may pay, TOML; read again when it changes",
        },
        Variable {
            name: ADDRESS_RATE,
            default: "no limit",
            help: "requests per second of one address, for callers without a key; each payment of a batch is one",
        },
        Variable {
            name: CardCheck::VARIABLE,
            default: "optional",
            help: "as for the app tier: the same value",
        },
    ],
];

/// Everything that the program is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: Listen,
    pub admin: SocketAddr,
    pub spans: Option<Collector>,
    pub app_tier: AppTier,
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
    /// Reads the variables; all mistakes are reported at once.
    pub fn from_env(mut env: Env) -> Result<Self, EnvErrors> {
        env.refuse_unknown(
            &[
                "ADDRESS_",
                "ADMIN_",
                "APP_TIER_",
                "CARD_",
                "CLIENTS_",
                "TLS_",
            ],
            VARIABLES,
        );
        let listen = Listen::from_env(&mut env);
        let admin = Admin::addr_from_env(&mut env);
        let spans = env.optional(Collector::ENDPOINT.name);
        let app_tier = AppTier::from_env(&mut env);
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

/// The internal load balancer, as the web tier reaches it.
#[derive(Debug, Clone)]
pub struct AppTier {
    pub origin: Origin,
    /// Where the origin is https.
    pub tls: Option<upstream::Tls>,
}

impl AppTier {
    fn from_env(env: &mut Env) -> Option<Self> {
        let origin: Option<Origin> = env.required("APP_TIER_URL");
        let name = origin.as_ref().and_then(|origin| origin.name.clone());
        let tls = upstream::Tls::from_env(env, name);
        let origin = origin?;
        Some(Self { origin, tls })
    }
}

/// `http://host:port` or `https://host:port`, and nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    authority: Authority,
    /// The name that a certificate must hold, where it is https.
    name: Option<ServerName<'static>>,
}

impl Origin {
    /// `host:port`, to connect to.
    pub fn address(&self) -> String {
        let usual = if self.name.is_some() { 443 } else { 80 };
        let port = self.authority.port_u16().unwrap_or(usual);
        format!("{}:{port}", self.authority.host())
    }

    /// The value of the header Host.
    pub fn host(&self) -> HeaderValue {
        // An authority has no character that a header can't hold.
        HeaderValue::from_str(self.authority.as_str())
            .unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be http://HOST:PORT or https://HOST:PORT, without a path";
        let parts = text.parse::<Uri>().map_err(|_| FORM)?.into_parts();
        let bare = parts.path_and_query.is_none_or(|path| path == "/");
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(FORM);
        };
        if !bare || authority.as_str().contains('@') {
            return Err(FORM);
        }
        let name = if scheme == Scheme::HTTPS {
            Some(certified(&authority).ok_or(FORM)?)
        } else if scheme == Scheme::HTTP {
            None
        } else {
            return Err(FORM);
        };
        Ok(Self { authority, name })
    }
}

/// The host as a certificate names it.
fn certified(authority: &Authority) -> Option<ServerName<'static>> {
    let host = authority.host().trim_matches(['[', ']']);
    ServerName::try_from(host.to_owned()).ok()
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
            "https://internal-alb",
            "https://[::1]:3000",
        ] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "internal-alb:3000",
            "https://internal-alb/process",
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
    fn https_has_a_port_of_its_own_and_verifies_by_a_ca_file() {
        let origin: Origin = "https://internal-alb".parse().unwrap();
        assert_eq!(origin.address(), "internal-alb:443");
        for (url, file, mistake) in [
            (
                "https://h",
                "/nonexistent.pem",
                "APP_TIER_CA_FILE=/nonexistent.pem: ",
            ),
            ("http://h", "/nonexistent.pem", "APP_TIER_URL is not https"),
        ] {
            let env = Env::from([("APP_TIER_URL", url), ("APP_TIER_CA_FILE", file)]);
            let text = Config::from_env(env).unwrap_err().to_string();
            assert!(text.contains(mistake), "{text}");
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
