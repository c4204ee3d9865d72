//! Protects the console from other web pages.
//!
//! Any page that a person has open can send requests to loopback. A name that resolves to loopback (DNS rebinding) is
//! detected by `Host`; another site's form by `Origin`, and by the token, which it cannot know.

pub mod back;
pub mod middleware;

use std::net::SocketAddr;

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use lab_runner::secret::Secret;

#[derive(Debug)]
pub struct Guard {
    /// Allowed values of `Host`.
    hosts: [String; 2],
    token: Secret,
}

impl Guard {
    pub fn of(address: SocketAddr) -> Self {
        Self {
            hosts: [address.to_string(), format!("localhost:{}", address.port())],
            token: Secret::random(32),
        }
    }

    /// Returns the token that every form of this console carries.
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    pub fn knows(&self, token: &str) -> bool {
        token == self.token()
    }

    fn is_for_us(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.hosts.iter().any(|own| own == host))
    }

    fn is_from_us(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        let origin = origin.and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|origin| self.hosts.iter().any(|own| own == origin))
    }
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_the_consoles_own_names_are_for_it_and_only_its_own_pages_are_from_it() {
        let guard = Guard::of("127.0.0.1:8088".parse().unwrap());
        for own in ["127.0.0.1:8088", "localhost:8088"] {
            assert!(guard.is_for_us(&headers(&[(HOST, own)])));
        }
        for other in ["127.0.0.1", "localhost:8080", "attacker.example:8088", ""] {
            assert!(!guard.is_for_us(&headers(&[(HOST, other)])), "{other}");
        }
        assert!(!guard.is_for_us(&HeaderMap::new()));
        for own in ["http://127.0.0.1:8088", "http://localhost:8088"] {
            assert!(guard.is_from_us(&headers(&[(ORIGIN, own)])));
        }
        for other in [
            "null",
            "http://127.0.0.1:8080",
            "https://localhost:8088",
            "http://attacker.example",
        ] {
            assert!(!guard.is_from_us(&headers(&[(ORIGIN, other)])), "{other}");
        }
        assert!(!guard.is_from_us(&HeaderMap::new()));
        assert!(!guard.knows(""));
    }
}
