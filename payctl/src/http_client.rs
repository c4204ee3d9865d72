//! HTTP/1.1, plain or over TLS. Follows no redirect and asks no proxy: an answer is the server's own.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as LegacyError};
use hyper_util::rt::TokioExecutor;
use payment_store::TlsFault;
use tls::Roots;
use tokio::time::timeout;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// An answer of the pipeline takes a few hundred bytes for each payment, and a stranger's may not end.
const BODY_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub struct HttpClient {
    inner: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Longest time of a call.
    limit: Duration,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The first MiB.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("none within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("{0}")]
    Untrusted(&'static str),
    #[error("the connection failed")]
    Connection(#[source] LegacyError),
    #[error("the answer broke off")]
    Body(#[source] hyper::Error),
    #[error("the request can't be made")]
    Request(#[source] http::Error),
    #[error(transparent)]
    Tls(#[from] tls::Error),
}

impl HttpClient {
    pub fn new(roots: &Roots, limit: Duration) -> Result<Self, CallError> {
        let tls = roots.client()?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let inner = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { inner, limit })
    }

    pub async fn call(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
        timeout(self.limit, self.answer(request))
            .await
            .unwrap_or(Err(CallError::TimedOut(self.limit)))
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
        let response = self.inner.request(request).await.map_err(connection)?;
        let (head, mut frames) = response.into_parts();
        let mut body = Vec::new();
        while body.len() < BODY_BYTES_MAX
            && let Some(frame) = frames.frame().await
        {
            if let Ok(data) = frame.map_err(CallError::Body)?.into_data() {
                body.extend_from_slice(&data);
            }
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

fn connection(error: LegacyError) -> CallError {
    let Some(said) = tls_error(&error) else {
        return CallError::Connection(error);
    };
    if !matches!(said, rustls::Error::InvalidCertificate(_)) {
        return CallError::Untrusted("it does not speak TLS as this program does; is it http?");
    }
    CallError::Untrusted(match TlsFault::from(said) {
        TlsFault::UnknownCa => {
            "its certificate comes from a CA that is unknown here; name the file of that CA's certificates with --ca-file or ALB_CA_FILE"
        }
        TlsFault::OtherName => {
            "its certificate is for another name; put a name that it holds into the URL"
        }
        TlsFault::Expired => {
            "its certificate has expired or is not valid yet; renew it, and check this machine's clock"
        }
        TlsFault::NoTls | TlsFault::Unverified => "its certificate can't be verified",
    })
}

/// What TLS said, wherever it stands among the causes. An I/O error does not name what it holds as its source.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
