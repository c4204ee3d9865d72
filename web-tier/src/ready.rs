//! Whether this tier can do its work: an app tier answers.

use http_service::admin::Readiness;

use crate::upstream::Upstream;

#[derive(Debug)]
pub(crate) struct Ready(pub Upstream);

impl Readiness for Ready {
    async fn check(&self) -> Result<(), String> {
        self.0.health().await
    }
}
