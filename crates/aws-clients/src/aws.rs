//! What every client of AWS shares: region and credentials from the SDK's own chain, and bounds on every wait.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Bounds of one call. Without them the SDK waits for ever for a server that accepts and is silent.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub connect: Duration,
    /// One try, from the first byte sent to the last received.
    pub attempt: Duration,
    /// All tries together.
    pub operation: Duration,
    pub attempts: u32,
}

/// S3 closes connections that idle for longer than some 20 s; ours go first.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Neither environment nor profile nor machine names a region.
#[derive(Debug, thiserror::Error)]
#[error("no AWS region is set; set AWS_REGION, e.g. us-west-2")]
pub struct NoRegion;

/// Region and credentials from the environment, a profile, or the role of the instance or function.
pub async fn config(bounds: Bounds) -> Result<SdkConfig, NoRegion> {
    let sdk = load(bounds).await;
    if sdk.region().map(Region::as_ref).is_none_or(str::is_empty) {
        return Err(NoRegion);
    }
    Ok(sdk)
}

async fn load(bounds: Bounds) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(bounds.connect)
        .read_timeout(bounds.attempt)
        .operation_attempt_timeout(bounds.attempt)
        .operation_timeout(bounds.operation)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(either())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(bounds.attempts))
        .load()
        .await
}

/// A client of it reads the machine's certificates as it is made: milliseconds of work.
pub(crate) fn https() -> SharedHttpClient {
    trusting(TrustStore::default())
}

fn trusting(certificates: TrustStore) -> SharedHttpClient {
    let ring = tls::rustls_provider::CryptoMode::Ring;
    // Made of what is always valid.
    let context = TlsContext::builder().with_trust_store(certificates).build();
    Builder::new()
        .tls_provider(tls::Provider::Rustls(ring))
        .tls_context(context.unwrap_or_default())
        .pool_idle_timeout(POOL_IDLE)
        .build_with_resolver(InTurn)
}

/// The system's resolver, with another address first each time. The SDK gives its whole time for connecting to the
/// first address, so that its retry is to begin at another.
#[derive(Debug, Clone, Copy)]
struct InTurn;

impl ResolveDns for InTurn {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        static TURN: AtomicUsize = AtomicUsize::new(0);

        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            let found = found.map_err(ResolveDnsError::new)?;
            let mut addresses: Vec<_> = found.map(|address| address.ip()).collect();
            let turn = TURN.fetch_add(1, Relaxed);
            let first = turn % addresses.len().max(1);
            addresses.rotate_left(first);
            Ok(addresses)
        })
    }
}

/// Reads certificates with the first request that needs TLS: none does, where credentials come from the environment
/// and the endpoint is plain.
fn either() -> SharedHttpClient {
    // The same kind of client, which trusts nobody: another kind would be compiled besides.
    let (plain, tls) = (trusting(TrustStore::empty()), https());
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(ByScheme {
            plain: plain.http_connector(settings, components),
            tls: tls.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    })
}

#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpConnector,
    tls: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_plain(request.uri()) {
            return self.plain.call(request);
        }
        let tls = self.tls.http_connector(&self.settings, &self.components);
        tls.call(request)
    }
}

pub(crate) fn is_plain(uri: &str) -> bool {
    uri.starts_with("http://")
}
