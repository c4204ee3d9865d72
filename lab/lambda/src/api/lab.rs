//! The lab's own API: the host's state, its dead letters, and fault injection.

use std::io;

use axum::body::{self, Body};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::ApiError;
use super::{Api, json as json_response};
use crate::queue::DeadLetter;
use crate::status::Snapshot;

/// Most dead letters in one answer.
const LETTERS_MAX: usize = 100;
/// Longest body of a fault setting.
const FAULT_BYTES_MAX: usize = 4 << 10;
/// Larger payloads are listed as `null`; the dead letter's file has them.
const LISTED_PAYLOAD_BYTES_MAX: usize = 16 << 10;

#[derive(Serialize)]
struct Status<'a> {
    function: &'a str,
    /// Queued events: not due yet, or waiting for a free concurrency slot.
    queued: usize,
    /// Invocations in flight.
    running: usize,
    /// Number of dead letters.
    dead_letters: usize,
    #[serde(flatten)]
    board: Snapshot,
}

#[derive(Serialize)]
struct DeadLetters {
    /// Number of dead letters in total.
    total: usize,
    /// The newest dead letters, oldest first.
    dead_letters: Vec<DeadLetter>,
}

pub async fn status(State(api): State<Api>) -> Response {
    let status = Status {
        function: api.function.arn().name(),
        queued: api.queue.waiting(),
        running: api.function.running(),
        dead_letters: api.queue.dead(),
        board: api.board.snapshot(),
    };
    json_response(StatusCode::OK, &status)
}

pub async fn dead_letters(State(api): State<Api>) -> Result<Response, ApiError> {
    let mut dead_letters = api.queue.dead_letters(LETTERS_MAX).await?;
    dead_letters.iter_mut().for_each(shorten);
    let body = DeadLetters {
        total: api.queue.dead(),
        dead_letters,
    };
    Ok(json_response(StatusCode::OK, &body))
}

pub async fn redrive(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let Ok(letter) = Uuid::parse_str(&id) else {
        return Err(ApiError::DeadLetterNotFound { id });
    };
    if !api.queue.redrive(letter).await? {
        return Err(ApiError::DeadLetterNotFound { id });
    }
    Ok(json_response(
        StatusCode::ACCEPTED,
        &json!({"request_id": letter.to_string()}),
    ))
}

pub async fn faults(State(api): State<Api>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = body::to_bytes(body, FAULT_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answer = api
        .faults
        .answer(&parts.method, parts.uri.path(), &parts.headers, &body);
    answer.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |answer| answer.map(Body::from),
    )
}

fn shorten(letter: &mut DeadLetter) {
    if letter.payload.get().len() > LISTED_PAYLOAD_BYTES_MAX {
        letter.payload = RawValue::NULL.to_owned();
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "the dead letters cannot be used");
        Self::Service {
            reason: "The dead letters cannot be used; the host's log says why".to_owned(),
        }
    }
}
