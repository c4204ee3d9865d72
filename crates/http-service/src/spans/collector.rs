//! The collector, as a program sees it: an address on this machine or in its network.

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use tokio::runtime::Handle;

use program::chain;
use program::env::Variable;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A collector says little.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// `http://host:port` of a collector that takes OTLP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector(String);

impl Collector {
    pub const ENDPOINT: Variable = Variable {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        default: "optional",
        help: "OpenTelemetry collector for spans, e.g. http://127.0.0.1:4318",
    };

    pub(super) fn exporter(&self) -> Option<SpanExporter> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(OnRuntime::new())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", self.0))
            .with_timeout(TIMEOUT)
            .build();
        exporter
            .inspect_err(|error| {
                tracing::error!(error = chain(error), "no spans will be sent");
            })
            .ok()
    }
}

impl FromStr for Collector {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be http://HOST:PORT of a collector that takes OTLP over HTTP; \
                            a collector on this machine can send it on over TLS";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let is_http = uri.scheme_str() == Some("http");
        let has_place = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        if !is_http || !has_place || uri.query().is_some() {
            return Err(FORM);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Sends on the program's own runtime: the exporter's thread has none.
#[derive(Debug)]
struct OnRuntime {
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: Handle,
}

impl OnRuntime {
    fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            runtime: Handle::current(),
        }
    }
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.client.request(request.map(Full::new));
        let exchange = async move {
            let (head, body) = answer.await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
            Ok::<_, HttpError>(Response::from_parts(head, body.to_bytes()))
        };
        let exchange = self
            .runtime
            .spawn(async move { tokio::time::timeout(TIMEOUT, exchange).await? });
        exchange.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_http_address() {
        for good in ["http://127.0.0.1:4318", "http://otel:4318/", "http://h/at"] {
            assert!(good.parse::<Collector>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "otel:4318",
            "https://h:4318",
            "http://u:p@h",
            "grpc://h",
            "http://h?x",
        ] {
            assert!(bad.parse::<Collector>().is_err(), "{bad}");
        }
    }
}
