//! What both tiers do around every request, and how they refuse one.

mod answers;
mod batch;
mod body;
mod exchange;
mod inbound;
mod observe;
mod refusal;
mod slot;
mod slots;

pub use batch::{Batch, Batches, PAYMENTS_ACCEPTED, is_batch};
pub use body::{media_type, read_body, read_json};
pub use inbound::{AT_ONCE, CLIENT, IDEMPOTENCY_KEY, PathId, client_name, idempotency_key};
pub(crate) use observe::HEALTH;
pub use observe::{
    Around, Layers, LoggedBatch, LoggedPayment, REQUEST_ID, RequestContext, TRACEPARENT,
};
pub use refusal::Refusal;
pub use slots::StatusQueries;
