//! The HTTP interface of fault injection.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use s3s::Body;
use server_kit::fault::Faults;

const MAX_BODY: u64 = 4096;
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers a request under [`server_kit::fault::PATH`].
pub async fn answer(faults: &Faults, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(body) = receive(body).await else {
        // The rest of the body may still arrive, so nothing else can be read from this connection.
        let mut response = bare(StatusCode::BAD_REQUEST);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        return response;
    };
    let path = parts.uri.path();
    match faults.answer(&parts.method, path, &parts.headers, &body) {
        Some(response) => response.map(Body::from),
        None => bare(StatusCode::NOT_FOUND),
    }
}

/// Returns `None` if the body is too long, too slow or broken.
async fn receive(body: Incoming) -> Option<Bytes> {
    if body.size_hint().lower() > MAX_BODY {
        return None;
    }
    let limit = usize::try_from(MAX_BODY).ok()?;
    let body = Limited::new(body, limit).collect();
    let body = tokio::time::timeout(BODY_TIMEOUT, body).await;
    Some(body.ok()?.ok()?.to_bytes())
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
