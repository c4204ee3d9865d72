//! A client of the AWS APIs that take events, with signed requests.

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
/// Shorter than the time for which servers keep an idle connection open.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of an answer that are logged.
const ANSWER_SHOWN_MAX: usize = 512;

/// Address of the API, and the credentials for it.
#[derive(Debug)]
pub struct Api {
    /// Service name in signatures.
    service: &'static str,
    endpoint: String,
    region: String,
    credentials: Credentials,
    client: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("must be http://<host>:<port>")]
    Form,
    #[error("cannot create an HTTP client")]
    Client(#[source] reqwest::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("cannot serialize the message")]
    Json(#[from] serde_json::Error),
    #[error("cannot build the request")]
    Request(#[from] http::Error),
    #[error("cannot sign the request")]
    Parameters(#[from] BuildError),
    #[error("cannot sign the request")]
    Sign(#[from] SigningError),
    #[error("cannot reach the destination")]
    Send(#[from] reqwest::Error),
    #[error("the destination answered {found} instead of {expected}: {answer}")]
    Refused {
        found: StatusCode,
        expected: StatusCode,
        /// Beginning of the answer's body.
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

    /// Returns the URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    /// Sends a POST and returns when it is answered with the status `expected`.
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
        // Read to the end, so that the connection can be reused.
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
