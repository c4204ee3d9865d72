//! The web tier's configuration.

use std::str::FromStr;

use reqwest::Url;
use tier_kit::env::{Env, Mistakes, Variable};
use tier_kit::server::Listen;

pub const VARIABLES: &[Variable] = &[
    Listen::ADDR,
    Listen::DRAIN,
    Variable {
        name: "APP_TIER_URL",
        default: "required",
        help: "internal load balancer, e.g. http://internal-alb:3000",
    },
];

#[derive(Debug, Clone)]
pub struct Config {
    pub listen: Listen,
    pub app_tier: Origin,
}

impl Config {
    pub fn from_env(mut env: Env) -> Result<Self, Mistakes> {
        env.refuse_unknown(&["APP_TIER_"], VARIABLES);
        let listen = Listen::from_env(&mut env);
        let app_tier: Option<Origin> = env.required("APP_TIER_URL");
        env.finish(|| {
            Some(Self {
                listen,
                app_tier: app_tier?,
            })
        })
    }
}

/// `http://host:port` and nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    pub fn with_path(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "must be http://HOST:PORT without a path; the internal load balancer speaks plain HTTP";
        let url: Url = text.parse().map_err(|_| FORM)?;
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if url.scheme() == "http" && url.has_host() && bare {
            Ok(Self(url))
        } else {
            Err(FORM)
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
}
