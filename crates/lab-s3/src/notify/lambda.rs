//! Lambda's Invoke API, called asynchronously and signed as any AWS client would.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as SigningKey;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_sigv4::sign::v4::signing_params::BuildError;
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::Credentials;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than what servers keep an idle connection for.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct LambdaApi {
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
pub enum InvokeError {
    #[error("the request could not be made")]
    Request(#[from] http::Error),
    #[error("the request could not be signed")]
    Parameters(#[from] BuildError),
    #[error("the request could not be signed")]
    Sign(#[from] SigningError),
    #[error("the function could not be reached")]
    Send(#[from] reqwest::Error),
    #[error("the function's answer was {0}, not 202")]
    Refused(StatusCode),
}

impl LambdaApi {
    pub fn new(
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
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self {
            endpoint,
            region: region.to_owned(),
            credentials,
            client,
        })
    }

    /// Returns once Lambda has queued the event.
    pub async fn invoke(&self, function: &str, event: Bytes) -> Result<(), InvokeError> {
        let request = reqwest::Request::try_from(self.request(function, event)?)?;
        match self.client.execute(request).await?.status() {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(InvokeError::Refused(status)),
        }
    }

    fn request(&self, function: &str, event: Bytes) -> Result<Request<Bytes>, InvokeError> {
        let function = utf8_percent_encode(function, NON_ALPHANUMERIC);
        let uri = format!(
            "{}/2015-03-31/functions/{function}/invocations",
            self.endpoint
        );
        let mut request = Request::post(uri)
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", "Event")
            .body(event)?;
        self.sign(&mut request)?;
        Ok(request)
    }

    fn sign(&self, request: &mut Request<Bytes>) -> Result<(), InvokeError> {
        let Credentials {
            access_key_id,
            secret_access_key,
        } = &self.credentials;
        let identity =
            SigningKey::from_keys(access_key_id, secret_access_key.expose(), None).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("lambda")
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
