//! Request faults, injected before and after handling.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::request::Parts;
use s3s::{Body, HttpError, S3Error, s3_error};
use server_kit::fault::Faults;
use tokio::sync::watch;

use super::target::{ObjectRequest, claimed_key_id};
use super::{body, kinds};

pub struct RequestFaults {
    pub switches: Arc<Faults>,
    /// Access key ids of the identities that are spared.
    admins: HashSet<String>,
    stopping: watch::Sender<bool>,
}

/// What to do with a request before it is handled.
pub enum Before {
    Handle,
    Answer(S3Error),
    /// Keep nothing of it but its connection: see [`RequestFaults::hang`].
    Hang(Duration),
}

impl RequestFaults {
    pub fn new(switches: Arc<Faults>, admins: HashSet<String>) -> Self {
        Self {
            switches,
            admins,
            stopping: watch::Sender::new(false),
        }
    }

    /// Returns `None` if the request is spared.
    pub fn target(&self, request: &Parts) -> Option<ObjectRequest> {
        let spared = claimed_key_id(request).is_some_and(|id| self.admins.contains(id));
        if spared {
            None
        } else {
            ObjectRequest::of(request)
        }
    }

    pub async fn before(&self, target: ObjectRequest) -> Before {
        if let Some(time) = self.inject(kinds::HANG) {
            return Before::Hang(time);
        }
        if let Some(time) = self.inject(kinds::LATENCY) {
            self.wait(time).await;
        }
        let put = matches!(target, ObjectRequest::Put { .. });
        let first_only = matches!(target, ObjectRequest::Put { first_only: true });
        let refusals = [
            (kinds::SLOW_DOWN, true),
            (kinds::ACCESS_DENIED, true),
            (kinds::EXPIRED_TOKEN, true),
            (kinds::CONFLICT, first_only),
            (kinds::BAD_DIGEST, put),
        ];
        let injects = |(name, fits): &(&str, bool)| *fits && self.inject(name).is_some();
        match refusals.into_iter().find(injects) {
            Some((name, _)) => Before::Answer(refusal(name)),
            None => Before::Handle,
        }
    }

    /// Returns the answer that the client gets. A genuine error answer is left unchanged.
    pub fn after(
        &self,
        target: ObjectRequest,
        response: Response<Body>,
    ) -> Result<Response<Body>, HttpError> {
        if !response.status().is_success() {
            return Ok(response);
        }
        match target {
            ObjectRequest::Put { .. } => self.after_put(response),
            ObjectRequest::Get => self.after_get(response),
            ObjectRequest::Head => self.after_look(response),
            ObjectRequest::List => Ok(response),
        }
    }

    fn after_put(&self, response: Response<Body>) -> Result<Response<Body>, HttpError> {
        if self.inject(kinds::ERROR_AFTER_STORE).is_some() {
            return respond(refusal(kinds::ERROR_AFTER_STORE));
        }
        match self.inject(kinds::ANSWER_LOST) {
            Some(_) => Err(closed()),
            None => Ok(response),
        }
    }

    fn after_get(&self, response: Response<Body>) -> Result<Response<Body>, HttpError> {
        let response = self.after_look(response)?;
        let Some(length) = body::length(&response).filter(|_| response.status().is_success())
        else {
            return Ok(response);
        };
        if self.inject(kinds::CORRUPT_GET).is_some() {
            return Ok(response.map(body::corrupt));
        }
        match self.inject(kinds::TRUNCATED_GET) {
            Some(_) => Ok(response.map(|whole| body::truncate(whole, length / 2))),
            None => Ok(response),
        }
    }

    fn after_look(&self, response: Response<Body>) -> Result<Response<Body>, HttpError> {
        match self.inject(kinds::NOT_YET_READABLE) {
            Some(_) => respond(refusal(kinds::NOT_YET_READABLE)),
            None => Ok(response),
        }
    }

    /// Waits that long, then closes the connection.
    pub async fn hang(&self, time: Duration) -> HttpError {
        self.wait(time).await;
        closed()
    }

    /// Releases every request that a fault holds, now and from now on.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    async fn wait(&self, time: Duration) {
        let mut stopping = self.stopping.subscribe();
        let stopped = stopping.wait_for(|stopping| *stopping);
        let _ = tokio::time::timeout(time, stopped).await;
    }

    fn inject(&self, name: &str) -> Option<Duration> {
        let time = self.switches.inject(name)?;
        tracing::debug!(fault = name, "injected");
        Some(time)
    }
}

pub fn respond(error: S3Error) -> Result<Response<Body>, HttpError> {
    error
        .to_http_response()
        .map_err(|error| HttpError::new(error.into()))
}

/// The error that closes the connection.
fn closed() -> HttpError {
    HttpError::new("closed by an injected fault".into())
}

fn refusal(name: &str) -> S3Error {
    match name {
        kinds::SLOW_DOWN => s3_error!(SlowDown, "Please reduce your request rate."),
        kinds::ACCESS_DENIED => s3_error!(AccessDenied, "Access Denied"),
        kinds::EXPIRED_TOKEN => s3_error!(ExpiredToken, "The provided token has expired."),
        kinds::CONFLICT => s3_error!(
            ConditionalRequestConflict,
            "The conditional request cannot succeed due to a conflicting operation against this resource."
        ),
        kinds::BAD_DIGEST => s3_error!(
            BadDigest,
            "The checksum you specified did not match the calculated checksum."
        ),
        kinds::NOT_YET_READABLE => s3_error!(NoSuchKey, "The specified key does not exist."),
        _ => s3_error!(
            InternalError,
            "We encountered an internal error. Please try again."
        ),
    }
}
