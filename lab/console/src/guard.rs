//! Who may look, and who may press: pages of this console alone.
//!
//! Any page that a person has open can send requests to loopback. One under a name that was made to lead here (DNS
//! rebinding) is told by `Host`; a form of a foreign page by `Origin`, and by the token that it can't know.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, StatusCode};
use lab_runner::secret::Secret;

use crate::server::Console;

const HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
];

#[derive(Debug)]
pub struct Guard {
    /// As a browser writes them in `Host`.
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

    /// What every form of this console carries.
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

/// Before every page and every button.
pub async fn watch_over(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if !console.guard.is_for_us(headers) {
        refusal("The name in Host is not this console's.")
    } else if !reads && !console.guard.is_from_us(headers) {
        refusal("Only a page of this console may do that.")
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

pub fn refusal(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

#[cfg(test)]
mod tests {
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
