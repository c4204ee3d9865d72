//! Whether this tier can do its work: an app tier answers.

use std::sync::Arc;

use http_service::admin::Readiness;

use crate::upstream::Upstream;

#[derive(Debug)]
pub(crate) struct AppTier(pub Arc<Upstream>);

impl Readiness for AppTier {
    async fn check(&self) -> Result<(), String> {
        self.0.health().await
    }
}
