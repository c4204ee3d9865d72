//! One request, from its head to the line that the log has of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::StatusCode;
use payment_core::{ClientName, PaymentId};
use tracing::Level;

use super::answers::CLIENT_GONE;
use super::observe::{HEALTH, LoggedBatch, LoggedPayment, Shared};
use super::{Refusal, RequestContext, inbound};
use crate::access_log;
use crate::spans::Span;

/// A request that is at work. However it ends, it is counted and logged as it is dropped: where the client hung up,
/// nobody hears of the answer.
pub(super) struct Exchange {
    shared: Arc<Shared>,
    started: Instant,
    line: AccessLine,
    pub(super) context: RequestContext,
    span: Span,
    outcome: Outcome,
}

/// What became of a request.
struct Outcome {
    status: StatusCode,
    refusal: Option<Refusal>,
    payment: Option<PaymentId>,
    batch: Option<LoggedBatch>,
}

impl Exchange {
    pub(super) fn begin(shared: Arc<Shared>, request: &Request) -> Self {
        let started = Instant::now();
        let line = AccessLine::of(request);
        let headers = request.headers();
        let spans = &shared.layers.spans;
        let (span, traceparent) = spans.begin(line.method, line.route(), inbound::trace(headers));
        let context = RequestContext::new(inbound::request_id(headers), traceparent);
        let outcome = Outcome {
            status: CLIENT_GONE,
            refusal: None,
            payment: None,
            batch: None,
        };
        Self {
            shared,
            started,
            line,
            context,
            span,
            outcome,
        }
    }

    /// Ends it with an answer that is now sent.
    pub(super) fn end(&mut self, response: &Response, refusal: Option<Refusal>) {
        let payment = response.extensions().get();
        self.outcome = Outcome {
            status: response.status(),
            refusal,
            payment: payment.map(|LoggedPayment(id)| id.clone()),
            batch: response.extensions().get().copied(),
        };
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let Outcome {
            status, refusal, ..
        } = &self.outcome;
        if self.line.route() != HEALTH {
            self.shared.answers.count(*status, refusal.as_ref(), took);
        }
        self.span.end(*status, &self.context);
        self.line.write(&self.context, &self.outcome, took);
    }
}

/// One line a request. Neither path nor query stand in it: an id in a path may be anything that a client typed.
struct AccessLine {
    method: &'static str,
    route: Option<MatchedPath>,
}

impl AccessLine {
    fn of(request: &Request) -> Self {
        Self {
            method: inbound::method(request.method()),
            route: request.extensions().get().cloned(),
        }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unknown", MatchedPath::as_str)
    }

    fn write(&self, context: &RequestContext, outcome: &Outcome, took: Duration) {
        let route = self.route();
        let status = outcome.status.as_u16();
        let request_id = context.request_id.as_str();
        let trace_id = context.traceparent.trace_id();
        let payment_id = outcome.payment.as_ref().map(PaymentId::as_str);
        let batch = outcome.batch;
        let refusal = outcome.refusal.as_ref();
        let error_code = refusal.map(|r| r.code.code());
        let error_cause = match refusal {
            None if outcome.status == CLIENT_GONE => {
                Some("the connection was closed before the answer")
            }
            refusal => refusal.and_then(|r| r.cause.as_deref()),
        };
        let level = match status {
            _ if route == HEALTH => Level::DEBUG,
            500.. => Level::ERROR,
            _ => Level::INFO,
        };
        if !is_on(level) {
            return;
        }
        access_log::write(level, |line| {
            line.text("request_id", Some(request_id))
                .text("trace_id", Some(trace_id))
                .text("client", context.client().map(ClientName::as_str))
                .text("payment_id", payment_id)
                .text("method", Some(self.method))
                .text("route", Some(route))
                .number("status", Some(status))
                .number("payments", batch.map(|batch| batch.payments))
                .number("accepted", batch.map(|batch| batch.accepted))
                .text("error_code", error_code)
                .text("error_cause", error_cause)
                .time("duration_ms", took);
        });
    }
}

/// Whether `RUST_LOG` asks for lines of this level.
fn is_on(level: Level) -> bool {
    const TARGET: &str = "access";
    match level {
        Level::DEBUG => tracing::enabled!(target: TARGET, Level::DEBUG),
        Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        _ => tracing::enabled!(target: TARGET, Level::INFO),
    }
}
