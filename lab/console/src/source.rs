//! What the parts say of themselves, each asked as its own users would.

pub mod access;
pub mod balancer;
pub mod function;
pub mod log;
pub mod rows;
pub mod tier;

use std::time::Duration;

/// A part that does not answer within this is shown as one that does not answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Why a part could not be asked, for people.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

impl From<reqwest::Error> for Away {
    fn from(error: reqwest::Error) -> Self {
        Self(lab_runner::output::chain(&error.without_url()))
    }
}

/// Goes straight to loopback, whatever proxy the shell is set to.
pub fn client(patience: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(patience)
        .build()
}
