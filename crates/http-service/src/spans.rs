//! Spans of requests, sent to an OpenTelemetry collector (OTLP over HTTP) if one is set.
//!
//! Without one nothing is made but the trace's ids. A request never waits: where the collector is slow or away, spans
//! are dropped. They hold what the access log holds, and nothing of a payment's content.

mod collector;

use http::StatusCode;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{self, SdkTracer, SdkTracerProvider};
use payment_core::record::TraceParent;
use uuid::Uuid;

pub use self::collector::Collector;
use crate::http::{HEALTH, RequestContext};

/// Destination of a program's spans; none by default.
#[derive(Debug, Clone, Default)]
pub struct Spans(Option<Tracing>);

#[derive(Debug, Clone)]
struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// One request in this tier.
#[derive(Debug)]
pub(crate) struct Span(Option<Box<trace::Span>>);

impl Spans {
    /// Within a runtime, which then carries what is sent.
    pub fn start(collector: Option<&Collector>, service: &'static str) -> Self {
        let Some(exporter) = collector.and_then(Collector::exporter) else {
            return Self::default();
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name(service).build())
            .build();
        let tracer = provider.tracer(service);
        Self(Some(Tracing { provider, tracer }))
    }

    /// Sends what is left.
    pub async fn finish(self) {
        let Some(Tracing { provider, .. }) = self.0 else {
            return;
        };
        // It waits for a thread of its own.
        let shutdown = tokio::task::spawn_blocking(move || provider.shutdown());
        if let Ok(Err(error)) = shutdown.await {
            tracing::warn!(error = %error, "the last spans were not sent");
        }
    }

    /// A span, and what those behind are told of the trace.
    pub(crate) fn begin(
        &self,
        method: &'static str,
        route: &str,
        parent: Option<TraceParent>,
    ) -> (Span, TraceParent) {
        let tracing = self.0.as_ref().filter(|_| route != HEALTH);
        let Some(Tracing { tracer, .. }) = tracing else {
            return (Span(None), parent.unwrap_or_else(made));
        };
        let context = parent.as_ref().and_then(remote).unwrap_or_default();
        let builder = tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
            ]);
        let span = tracer.build_with_context(builder, &context);
        let own = span.span_context();
        let traceparent = TraceParent::new(
            own.trace_id().to_bytes(),
            own.span_id().to_bytes(),
            own.is_sampled(),
        );
        (Span(Some(Box::new(span))), traceparent)
    }
}

impl Span {
    pub(crate) fn end(&mut self, status: StatusCode, context: &RequestContext) {
        let Some(span) = &mut self.0 else { return };
        let request_id = context.request_id.to_string();
        span.set_attributes([
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("payments.request_id", request_id),
        ]);
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// A trace that nobody records.
fn made() -> TraceParent {
    let (trace, span) = (Uuid::new_v4(), Uuid::new_v4());
    let (_, span) = span.as_u64_pair();
    TraceParent::new(trace.into_bytes(), span.to_be_bytes(), false)
}

fn remote(parent: &TraceParent) -> Option<Context> {
    let flags = TraceFlags::default().with_sampled(parent.is_sampled());
    let context = SpanContext::new(
        TraceId::from_hex(parent.trace_id()).ok()?,
        SpanId::from_hex(parent.span_id()).ok()?,
        flags,
        true,
        TraceState::default(),
    );
    Some(Context::new().with_remote_span_context(context))
}
