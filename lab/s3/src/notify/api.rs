//! An AWS API that takes events, called and signed as any AWS client would.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as SigningKey;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_sigv4::sign::v4::signing_params::BuildError;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};

use crate::config::Credentials;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than what servers keep an idle connection for.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Of an answer, in the log.
const ANSWER_SHOWN_MAX: usize = 512;

/// Where the API is, and what its calls are signed with.
#[derive(Debug)]
pub struct Api {
    /// As signatures name it.
    service: &'static str,
    endpoint: String,
    region: String,
    credentials: Credentials,
    client: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("http://<host>:<port> is expected")]
    Form,
    #[error("no HTTP client could be made")]
    Client(#[source] reqwest::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("the message could not be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the request could not be made")]
    Request(#[from] http::Error),
    #[error("the request could not be signed")]
    Parameters(#[from] BuildError),
    #[error("the request could not be signed")]
    Sign(#[from] SigningError),
    #[error("the destination could not be reached")]
    Send(#[from] reqwest::Error),
    #[error("the destination's answer was {found}, not {expected}: {answer}")]
    Refused {
        found: StatusCode,
        expected: StatusCode,
        /// The beginning of what it said.
        answer: String,
    },
}

impl Api {
    pub fn new(
        service: &'static str,
        endpoint: &str,
        region: &str,
        credentials: Credentials,
    ) -> Result<Self, EndpointError> {
        let uri: Uri = endpoint.parse().map_err(|_| EndpointError::Form)?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" || uri.query().is_some() {
            return Err(EndpointError::Form);
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self {
            service,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            credentials,
            client,
        })
    }

    /// Of a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    /// Returns once the answer is there, and has the status `expected`.
    pub async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        expected: StatusCode,
    ) -> Result<(), DeliveryError> {
        let mut request = Request::post(self.url(path)).body(body)?;
        *request.headers_mut() = headers;
        self.sign(&mut request)?;
        let request = reqwest::Request::try_from(request)?;
        let response = self.client.execute(request).await?;
        let found = response.status();
        // Read to its end, so that the connection can be used again.
        let answer = response.bytes().await?;
        if found == expected {
            Ok(())
        } else {
            let answer = answer.get(..ANSWER_SHOWN_MAX).unwrap_or(&answer);
            Err(DeliveryError::Refused {
                found,
                expected,
                answer: String::from_utf8_lossy(answer).into_owned(),
            })
        }
    }

    fn sign(&self, request: &mut Request<Bytes>) -> Result<(), DeliveryError> {
        let Credentials {
            access_key_id,
            secret_access_key,
        } = &self.credentials;
        let identity =
            SigningKey::from_keys(access_key_id, secret_access_key.expose(), None).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        let signable =
            SignableRequest::new("POST", uri, headers, SignableBody::Bytes(request.body()))?;
        let (instructions, _signature) = sign(signable, &parameters)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}
