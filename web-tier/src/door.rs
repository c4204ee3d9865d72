//! Who may come in, and how often: the clients in force, and their limits.
//!
//! Without a file of clients intake is open, and callers are told apart by their address at most.

mod addresses;
mod caller;
mod denied;
mod in_force;
mod watch;

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clients::digest::ContentDigest;
use clients::registry::has_credential;
use clients::signature::{Message, SIGNATURE_INPUT};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, Method};
use http_service::http::LoggedClient;
use http_service::metrics::Metrics;

use self::addresses::Addresses;
use self::caller::{Caller, InFlight};
pub use self::denied::Denied;
use self::in_force::InForce;
pub use self::watch::Watch;
use crate::config::ClientsFile;
use crate::origin::is_own_page;

#[derive(Debug)]
pub struct Door {
    clients: Option<InForce>,
    addresses: Option<Addresses>,
}

/// A request that may come in.
#[derive(Debug, Default)]
pub struct Admitted {
    /// `None` where intake is open.
    caller: Option<Arc<Caller>>,
    /// What the signature says of the body, which was not read yet.
    digest: Option<ContentDigest>,
    _in_flight: Option<InFlight>,
}

impl Door {
    pub fn new(
        clients: Option<ClientsFile>,
        address_rate: Option<NonZeroU32>,
        metrics: &mut Metrics,
    ) -> Self {
        if clients.is_none() {
            tracing::warn!(
                "intake is open: whoever reaches this server may pay; CLIENTS_FILE is not set"
            );
        }
        Self {
            clients: InForce::register(clients, metrics),
            addresses: address_rate.map(Addresses::new),
        }
    }

    /// Lets in a request about a payment, or one that makes one, before its body is read.
    pub fn admit(&self, request: &Request) -> Result<Admitted, Denied> {
        let Some(clients) = &self.clients else {
            self.check_address(request.headers())?;
            return Ok(Admitted::default());
        };
        let message = Message {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        };
        let unknown = || Denied::Unknown(request.method() == Method::POST);
        let mut digest = None;
        let caller = if has_credential(message.headers) {
            let caller = clients.authenticate(&message).ok_or_else(unknown)?;
            if is_signed(&message) && message.method == Method::POST {
                digest = Some(ContentDigest::of(message.headers).ok_or_else(unknown)?);
            }
            caller
        } else {
            let is_page = is_own_page(message.method, message.headers);
            let page = clients.page().filter(|_| is_page).ok_or_else(unknown)?;
            self.check_address(message.headers)?;
            page
        };
        Admitted::within_limits(caller, digest, message.method == Method::POST)
    }

    /// Lets the pay page look for a payment of its own; `None` if it may not pay here.
    pub fn admit_page(&self, headers: &HeaderMap) -> Result<Option<Admitted>, Denied> {
        let page = match &self.clients {
            None => None,
            Some(clients) => match clients.page() {
                None => return Ok(None),
                page => page,
            },
        };
        self.check_address(headers)?;
        match page {
            None => Ok(Some(Admitted::default())),
            Some(page) => Admitted::within_limits(page, None, false).map(Some),
        }
    }

    /// Callers without a key are told apart by their address.
    fn check_address(&self, headers: &HeaderMap) -> Result<(), Denied> {
        match &self.addresses {
            None => Ok(()),
            Some(addresses) => addresses.check(headers),
        }
    }
}

/// Whether the credential of a request that was let in is its signature.
fn is_signed(message: &Message<'_>) -> bool {
    !message.headers.contains_key(AUTHORIZATION) && message.headers.contains_key(SIGNATURE_INPUT)
}

impl Admitted {
    fn within_limits(
        caller: Arc<Caller>,
        digest: Option<ContentDigest>,
        pays: bool,
    ) -> Result<Self, Denied> {
        let in_flight = caller.check_limits(pays)?;
        Ok(Self {
            caller: Some(caller),
            digest,
            _in_flight: in_flight,
        })
    }

    /// The client's name, for the app tier.
    pub fn client(&self) -> Option<&HeaderValue> {
        self.caller.as_ref().map(|caller| caller.header())
    }

    /// Refuses a body that is not the one that was signed.
    pub fn check(&self, body: &Bytes) -> Result<(), Denied> {
        match &self.digest {
            Some(digest) if !digest.is_of(body) => Err(Denied::Unknown(true)),
            _ => Ok(()),
        }
    }

    /// The answer, with the client for the access log.
    pub fn log(&self, answer: impl IntoResponse) -> Response {
        let mut answer = answer.into_response();
        if let Some(caller) = &self.caller {
            let client = LoggedClient(caller.name().clone());
            answer.extensions_mut().insert(client);
        }
        answer
    }
}
