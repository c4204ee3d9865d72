//! What both tiers do around every request, and how they refuse one.

mod answers;
mod body;
mod observe;
mod refusal;
mod slots;

pub use body::{idempotency_key, media_type, read_body, read_json};
pub(crate) use observe::HEALTH;
pub use observe::{Layers, LoggedPayment, REQUEST_ID, RequestContext, TRACEPARENT};
pub use refusal::Refusal;
pub use slots::StatusQueries;
