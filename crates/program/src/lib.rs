//! What every program shares: configuration from the environment, secrets, logs, and how it starts and ends.
//!
//! It knows nothing of payments, of HTTP or of AWS.

mod chain;
pub mod env;
pub mod logs;
mod program;
mod secret;

pub use chain::chain;
pub use env::Env;
pub use program::Program;
pub use secret::Secret;
