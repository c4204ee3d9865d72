//! What both tiers do around every request, and how they refuse one.

mod body;
mod observe;
mod refusal;

pub use body::read_body;
pub use observe::{Layers, RequestContext};
pub use refusal::Refusal;
