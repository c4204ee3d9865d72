//! The interface by which faults are switched, as the front serves it.

use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use lab_fault::Faults;
use s3s::Body;

const MAX_BODY: usize = 4096;
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer to a request under [`lab_fault::PATH`].
pub async fn answer(faults: &Faults, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY_TIMEOUT, body).await else {
        // The rest of the body may still come: nothing else can be read from this connection.
        let mut response = bare(StatusCode::BAD_REQUEST);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        return response;
    };
    let path = parts.uri.path();
    match faults.answer(&parts.method, path, &parts.headers, &body.to_bytes()) {
        Some(response) => response.map(Body::from),
        None => bare(StatusCode::NOT_FOUND),
    }
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
