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
use bytes::Bytes;
use clients::digest::ContentDigest;
use clients::registry::has_credential;
use clients::signature::{Message, SIGNATURE_INPUT};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, Method};
use http_service::http::RequestContext;
use http_service::metrics::Metrics;

use self::addresses::{Address, Addresses};
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
    digest: Option<Digest>,
    /// Where the limit of its address counts.
    address: Option<Address>,
    in_flight: Option<InFlight>,
}

#[derive(Debug)]
struct Digest {
    digest: ContentDigest,
    /// What the signature had to cover.
    required: &'static [&'static str],
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
    pub fn admit(&self, context: &RequestContext, request: &Request) -> Result<Admitted, Denied> {
        let Some(clients) = &self.clients else {
            return Ok(Admitted {
                address: self.check_address(request.headers())?,
                ..Admitted::default()
            });
        };
        let message = Message {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        };
        let pays = message.method == Method::POST;
        let required = message.required();
        let unknown = || Denied::Unknown(required);
        let (caller, digest, address) = if has_credential(message.headers) {
            let caller = clients.authenticate(&message).ok_or_else(unknown)?;
            let digest = if is_signed(&message) && pays {
                let digest = ContentDigest::of(message.headers).ok_or_else(unknown)?;
                Some(Digest { digest, required })
            } else {
                None
            };
            (caller, digest, None)
        } else {
            let is_page = is_own_page(message.method, message.headers);
            let page = clients.page().filter(|_| is_page).ok_or_else(unknown)?;
            (page, None, self.check_address(message.headers)?)
        };
        let admitted = Admitted::within_limits(context, caller, pays)?;
        Ok(Admitted {
            digest,
            address,
            ..admitted
        })
    }

    /// Counts the payments of a batch, of which one was counted before its body was read.
    pub fn admit_batch(&self, admitted: &mut Admitted, payments: NonZeroU32) -> Result<(), Denied> {
        let Some(more) = NonZeroU32::new(payments.get() - 1) else {
            return Ok(());
        };
        let addresses = self.addresses.as_ref().zip(admitted.address.as_ref());
        let caller = admitted.caller.as_ref();
        let by_address = addresses.map(|(addresses, _)| addresses.batch_max());
        let by_client = caller.and_then(|caller| caller.batch_max());
        if let Some(max) = by_address.into_iter().chain(by_client).min()
            && payments > max
        {
            return Err(Denied::BatchTooLarge(max));
        }
        if let Some((addresses, address)) = addresses {
            addresses.check_more(address, more)?;
        }
        match caller {
            Some(caller) => caller.check_more(admitted.in_flight.as_mut(), more),
            None => Ok(()),
        }
    }

    /// Lets the pay page look for a payment of its own; `None` if it may not pay here.
    pub fn admit_page(
        &self,
        context: &RequestContext,
        headers: &HeaderMap,
    ) -> Result<Option<Admitted>, Denied> {
        let Some(clients) = &self.clients else {
            self.check_address(headers)?;
            return Ok(Some(Admitted::default()));
        };
        let Some(page) = clients.page() else {
            return Ok(None);
        };
        self.check_address(headers)?;
        Admitted::within_limits(context, page, false).map(Some)
    }

    /// Callers without a key are told apart by their address.
    fn check_address(&self, headers: &HeaderMap) -> Result<Option<Address>, Denied> {
        let addresses = self.addresses.as_ref();
        addresses
            .map(|addresses| addresses.check(headers))
            .transpose()
    }
}

/// Whether the credential of a request that was let in is its signature.
fn is_signed(message: &Message<'_>) -> bool {
    !message.headers.contains_key(AUTHORIZATION) && message.headers.contains_key(SIGNATURE_INPUT)
}

impl Admitted {
    fn within_limits(
        context: &RequestContext,
        caller: Arc<Caller>,
        pays: bool,
    ) -> Result<Self, Denied> {
        context.name_client(caller.name());
        let in_flight = caller.check_limits(pays)?;
        Ok(Self {
            caller: Some(caller),
            in_flight,
            ..Self::default()
        })
    }

    /// The client's name, for the app tier.
    pub fn client(&self) -> Option<&HeaderValue> {
        self.caller.as_ref().map(|caller| caller.header())
    }

    /// Refuses a body that is not the one that was signed.
    pub fn check(&self, body: &Bytes) -> Result<(), Denied> {
        match &self.digest {
            Some(Digest { digest, required }) if !digest.is_of(body) => {
                Err(Denied::Unknown(required))
            }
            _ => Ok(()),
        }
    }
}
