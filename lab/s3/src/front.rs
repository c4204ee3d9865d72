//! The HTTP side of a request: what s3s leaves to others.
//!
//! Limits bodies in size, time and memory. Reads them completely, so that an early refusal never meets a client that is
//! still sending. Gives every request its id, answers the health check and the fault interface, injects faults, and
//! counts what S3 would bill.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use s3s::service::S3Service;
use s3s::{Body, HttpError, S3Error, S3Result, s3_error};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::counts::{self, Counts};
use crate::fault::{self, Before, ObjectRequest, RequestFaults, respond};
use crate::ops::MAX_BODY;

/// Size of a body of [`MAX_BODY`] with the framing of signed chunks.
const MAX_WIRE_BODY: usize = MAX_BODY + MAX_BODY / 64;
/// Memory for the bodies of all requests together, in KiB.
const BODY_MEMORY: u32 = 512 * 1024;
/// Longest time for the whole body, including the wait for memory.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
const HEALTH: &str = "/_lab/health";

pub struct Front {
    s3: S3Service,
    faults: RequestFaults,
    memory: Semaphore,
    counts: Counts,
}

/// What the rest of the server needs to know about a request. Carried in its extensions.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The answer's `x-amz-request-id`.
    pub id: String,
    /// The answer's `x-amz-id-2`.
    pub host_id: String,
    pub source_ip: IpAddr,
}

impl RequestInfo {
    fn new(peer: SocketAddr) -> Self {
        let uuid = Uuid::now_v7();
        let (_, random) = uuid.as_u64_pair();
        Self {
            id: format!("{random:016X}"),
            host_id: uuid.simple().to_string(),
            source_ip: peer.ip(),
        }
    }

    pub fn of(extensions: &Extensions) -> S3Result<&Self> {
        extensions
            .get::<Self>()
            .ok_or_else(|| s3_error!(InternalError, "A request without an id"))
    }

    fn mark(&self, headers: &mut HeaderMap) {
        let pairs = [
            ("x-amz-request-id", &self.id),
            ("x-amz-id-2", &self.host_id),
        ];
        for (name, value) in pairs {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

impl Front {
    pub fn new(s3: S3Service, faults: RequestFaults) -> Self {
        let memory = usize::try_from(BODY_MEMORY).unwrap_or(usize::MAX);
        Self {
            s3,
            faults,
            memory: Semaphore::new(memory),
            counts: Counts::default(),
        }
    }

    /// Releases the requests that a fault holds: the server is about to stop.
    pub fn stop(&self) {
        self.faults.stop();
    }

    /// Handles a request. An error closes the connection.
    pub async fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, HttpError> {
        if request.method() == Method::GET && request.uri().path() == HEALTH {
            return Ok(Response::new(Body::from(Bytes::from_static(b"OK"))));
        }
        if request.uri().path().starts_with(server_kit::fault::PATH) {
            return Ok(fault::control(&self.faults.switches, request).await);
        }
        if request.method() == Method::GET && request.uri().path() == counts::PATH {
            return Ok(Response::new(Body::from(self.counts.to_json())));
        }
        let begun = Instant::now();
        let info = RequestInfo::new(peer);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut response = self.answer(request, &info).await?;
        info.mark(response.headers_mut());
        log(&method, &path, response.status(), begun.elapsed(), &info.id);
        Ok(response)
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        info: &RequestInfo,
    ) -> Result<Response<Body>, HttpError> {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(info.clone());
        let target = ObjectRequest::of(&parts);
        let received = tokio::time::timeout(BODY_TIMEOUT, self.receive(&parts.headers, body));
        let late = s3_error!(
            RequestTimeout,
            "Your socket connection was not read or written in time."
        );
        let response = match received.await.unwrap_or(Err(late)) {
            Ok((body, memory)) => self.call(parts, body, memory).await?,
            Err(error) => {
                // The rest of the body may still arrive, so nothing else can be read from this connection.
                let mut response = respond(error)?;
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
                response
            }
        };
        self.counts.add(target, response.status());
        Ok(response)
    }

    /// Returns S3's answer, as changed by the faults.
    async fn call(
        &self,
        parts: Parts,
        body: Body,
        memory: SemaphorePermit<'_>,
    ) -> Result<Response<Body>, HttpError> {
        let Some(target) = self.faults.target(&parts) else {
            return self.s3.call(Request::from_parts(parts, body)).await;
        };
        match self.faults.before(target).await {
            Before::Handle => {}
            Before::Answer(error) => return respond(error),
            Before::Hang(time) => {
                drop((body, memory));
                return Err(self.faults.hang(time).await);
            }
        }
        let response = self.s3.call(Request::from_parts(parts, body)).await?;
        self.faults.after(target, response)
    }

    /// Receives the whole body, and reserves the memory it needs.
    async fn receive(
        &self,
        headers: &HeaderMap,
        body: Incoming,
    ) -> S3Result<(Body, SemaphorePermit<'_>)> {
        let too_large = || {
            s3_error!(
                EntityTooLarge,
                "The lab takes bodies of at most {MAX_BODY} bytes"
            )
        };
        let length = declared_length(headers, &body);
        if length > MAX_WIRE_BODY {
            return Err(too_large());
        }
        let kibibytes = u32::try_from(length.div_ceil(1024)).unwrap_or(BODY_MEMORY);
        let memory = self
            .memory
            .acquire_many(kibibytes)
            .await
            .map_err(S3Error::internal_error)?;
        if body.is_end_stream() {
            return Ok((Body::empty(), memory));
        }
        let body = Limited::new(body, MAX_WIRE_BODY)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return too_large();
                }
                let mut incomplete = s3_error!(IncompleteBody, "The body ended before its length");
                incomplete.set_source(error);
                incomplete
            })?;
        Ok((Body::from(body.to_bytes()), memory))
    }
}

/// Returns the body's length, or the greatest possible if it is not known in advance.
fn declared_length(headers: &HeaderMap, body: &Incoming) -> usize {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    match declared {
        Some(length) => length,
        None if body.is_end_stream() => 0,
        None => MAX_WIRE_BODY,
    }
}

fn log(method: &Method, path: &str, status: StatusCode, took: Duration, request_id: &str) {
    let status_code = status.as_u16();
    if status.is_server_error() {
        tracing::warn!(%method, path, status_code, ?took, request_id, "request");
    } else {
        tracing::debug!(%method, path, status_code, ?took, request_id, "request");
    }
}
