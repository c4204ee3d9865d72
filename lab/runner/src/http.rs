//! HTTP towards parts of the lab: straight to loopback, whatever proxy the shell is set to.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use tls::Roots;
use tokio::time::timeout;

/// Longer than the load balancer's client deadline would be, so that its answer is seen.
pub const TIMEOUT: Duration = Duration::from_secs(15);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns a client for parts that never speak TLS.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .build()
}

/// A client for all parts, over TLS if the URL says so. reqwest would bring a verifier and a TLS provider of its own.
#[derive(Clone, Debug)]
pub struct Client {
    inner: HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

pub type Request = http::Request<Full<Bytes>>;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer within {:.1} s", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("no connection, or no answer on it")]
    Connection(#[from] hyper_util::client::legacy::Error),
    #[error("the answer broke off")]
    Body(#[from] hyper::Error),
    #[error("the request can't be made")]
    Request(#[from] http::Error),
    #[error("not answered as expected")]
    Json(#[from] serde_json::Error),
}

impl Client {
    /// A client that waits so long for an answer.
    pub fn new(roots: &Roots, timeout: Duration) -> Result<Self, tls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(roots.client()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self {
            inner: HyperClient::builder(TokioExecutor::new()).build(connector),
            timeout,
        })
    }

    pub async fn get(&self, url: &str) -> Result<Answer, CallError> {
        self.call(http::Request::get(url).body(Full::default())?)
            .await
    }

    pub async fn post(&self, url: &str, json: String) -> Result<Answer, CallError> {
        let request = http::Request::builder().method(Method::POST).uri(url);
        let request = request.header(CONTENT_TYPE, "application/json");
        self.call(request.body(Full::new(json.into()))?).await
    }

    pub async fn call(&self, request: Request) -> Result<Answer, CallError> {
        timeout(self.timeout, self.answer(request))
            .await
            .unwrap_or(Err(CallError::TimedOut(self.timeout)))
    }

    async fn answer(&self, request: Request) -> Result<Answer, CallError> {
        let (head, body) = self.inner.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
