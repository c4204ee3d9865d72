//! The layers around all routes, outermost first: request id, access log and error bodies, panic catch, load
//! shedding, deadline.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use payment_core::record::TraceParent;
use payment_core::{ErrorCode, PaymentId, RequestId};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use super::Refusal;
use crate::server::Drain;

/// Read from the request where it is well formed, and always on the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Paths that load balancers ask every few seconds: logged at debug alone, and never shed.
const HEALTH: &str = "/health";

/// What follows a request: in handlers as an extension.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub request_id: RequestId,
    pub traceparent: Option<TraceParent>,
}

/// Put on an answer to have the id in the access log.
#[derive(Debug, Clone)]
pub struct LoggedPayment(pub PaymentId);

/// Settings of the layers.
#[derive(Debug, Clone)]
pub struct Layers {
    pub drain: Drain,
    /// From the head of the request to the head of the answer.
    pub deadline: Duration,
    /// What a client is told when the deadline passed.
    pub late: ErrorCode,
    /// Requests at work at one time; more are refused at once, before their body is read.
    pub requests_max: usize,
}

impl Layers {
    /// Puts all layers around `routes`, with `/health` and answers for unknown paths and methods.
    pub fn around(self, routes: Router) -> Router {
        let drain = self.drain.clone();
        let slots = Arc::new(Semaphore::new(self.requests_max));
        routes
            .route(HEALTH, get(async move || health(&drain)))
            .fallback(|| async {
                Refusal::new(
                    ErrorCode::NotFound,
                    "see the manual for the paths of this server",
                )
            })
            .method_not_allowed_fallback(|| async {
                Refusal::new(
                    ErrorCode::MethodNotAllowed,
                    "see the manual for the methods of this path",
                )
            })
            .layer(from_fn_with_state((self.deadline, self.late), limit_time))
            .layer(from_fn_with_state(slots, shed_load))
            .layer(CatchPanicLayer::custom(after_panic))
            .layer(from_fn_with_state(self.drain, observe))
    }
}

/// Touches nothing behind: an outage there must not take every target out at once.
fn health(drain: &Drain) -> Result<&'static str, Refusal> {
    if drain.is_draining() {
        return Err(Refusal::new(
            ErrorCode::Draining,
            "this server is about to stop",
        ));
    }
    Ok("OK")
}

async fn observe(State(drain): State<Drain>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = RequestContext::of(&request);
    let line = AccessLine::of(&request);
    request.extensions_mut().insert(context.clone());

    let mut response = next.run(request).await;
    let refusal = response.extensions_mut().remove::<Refusal>();
    if let Some(refusal) = &refusal {
        let plain = refusal.render(context.request_id.as_str());
        let (plain, body) = plain.into_parts();
        response.headers_mut().extend(plain.headers);
        *response.body_mut() = body;
    }
    if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if drain.is_draining() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    line.write(&context, &response, refusal.as_ref(), started.elapsed());
    response
}

async fn shed_load(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    if request.uri().path() == HEALTH {
        return next.run(request).await;
    }
    match slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => Refusal::new(
            ErrorCode::Overloaded,
            "send it again in a moment, under the same id",
        )
        .into_response(),
    }
}

async fn limit_time(
    State((deadline, late)): State<(Duration, ErrorCode)>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(
            late,
            "whether it was done is not known; send it again under the same id",
        )
        .because("the deadline passed")
        .into_response(),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that CatchPanicLayer takes"
)]
fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Refusal::new(ErrorCode::Internal, "send it again under the same id")
        .because(format!("a handler panicked: {}", text.unwrap_or_default()))
        .into_response()
}

impl RequestContext {
    fn of(request: &Request) -> Self {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
        };
        Self {
            request_id: header(REQUEST_ID)
                .and_then(RequestId::parse)
                .unwrap_or_else(|| RequestId::from(Uuid::now_v7())),
            traceparent: header(TRACEPARENT).and_then(TraceParent::parse),
        }
    }
}

/// One line a request. Neither path nor query stand in it: an id in a path may be anything that a client typed.
struct AccessLine {
    method: http::Method,
    route: Option<MatchedPath>,
}

impl AccessLine {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
        }
    }

    fn write(
        &self,
        context: &RequestContext,
        response: &Response,
        refusal: Option<&Refusal>,
        took: Duration,
    ) {
        let route = self.route.as_ref().map_or("unknown", MatchedPath::as_str);
        let status = response.status().as_u16();
        let request_id = context.request_id.as_str();
        let payment_id = response
            .extensions()
            .get()
            .map(|LoggedPayment(id)| id.as_str());
        let error_code = refusal.map(|r| r.code.code());
        let error_cause = refusal.and_then(|r| r.cause.as_deref());
        let method = self.method.as_str();
        let duration_ms = took.as_secs_f64() * 1000.0;
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    target: "access", request_id, payment_id, method, route, status, error_code, error_cause, duration_ms, "request"
                )
            };
        }
        match status {
            _ if route == HEALTH => log!(debug),
            500.. => log!(error),
            _ => log!(info),
        }
    }
}
