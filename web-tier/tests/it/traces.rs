//! Traces: the client's goes on, one is made where there is none, and a collector hears of each request.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::tier::{Act, Tier, answer};

const JSON: (&str, &str) = ("content-type", "application/json");
const CLIENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const LONG: Duration = Duration::from_secs(30);

fn accepted() -> Act {
    answer("202 Accepted", "content-type: application/json\r\n", "{}")
}

/// What the app tier was told of the trace, in the order of the requests.
fn told(tier: &Tier) -> Vec<String> {
    let seen = tier.seen.lock().unwrap();
    let lines = seen.iter().flat_map(|request| request.lines());
    lines
        .filter_map(|line| Some(line.strip_prefix("traceparent: ")?.to_owned()))
        .collect()
}

/// A collector, and the spans that it was sent.
async fn collector() -> (String, UnboundedReceiver<Span>) {
    let (spans, received) = unbounded_channel();
    let take = async move |body: Bytes| {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            assert!(format!("{attributes:?}").contains("web-tier"));
            let all = resource.scope_spans.into_iter().flat_map(|s| s.spans);
            all.for_each(|span| spans.send(span).unwrap());
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

#[tokio::test]
async fn without_a_collector_the_clients_trace_goes_on_as_it_is_or_one_is_made() {
    let tier = Tier::before(vec![accepted()]).await;
    tier.post(&[JSON, ("traceparent", CLIENT)], "{}").await;
    tier.post(&[JSON], "{}").await;
    tier.post(&[JSON, ("traceparent", "00-nonsense")], "{}")
        .await;
    let told = told(&tier);
    assert_eq!(told[0], CLIENT);
    for made in &told[1..] {
        assert!(made.len() == 55 && made.ends_with("-00"), "{made}");
    }
    assert_ne!(told[1], told[2]);
}

#[tokio::test]
async fn a_collector_gets_a_span_a_request_with_nothing_of_the_payment() {
    let (url, mut spans) = collector().await;
    let away = answer("200 OK", "content-type: text/html\r\n", "");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    let tier = Tier::with(vec![accepted(), away], &variables).await;
    let body = r#"{"payer_name":"Jane Doe","transaction":"4111 1111 1111 1112"}"#;
    tier.post(&[JSON, ("traceparent", CLIENT)], body).await;
    tier.post(&[JSON], body).await;
    tier.get("/health").await;
    tier.get("/pay/some-id").await;
    let mut found = HashMap::new();
    while found.len() < 3 {
        let span = tokio::time::timeout(LONG, spans.recv()).await;
        let span = span.unwrap().unwrap();
        let id: [u8; 8] = span.span_id.clone().try_into().unwrap();
        found.insert(format!("{:016x}", u64::from_be_bytes(id)), span);
    }
    for told in told(&tier) {
        let span = &found[&told[36..52]];
        let trace: [u8; 16] = span.trace_id.clone().try_into().unwrap();
        let trace = format!("{:032x}", u128::from_be_bytes(trace));
        assert_eq!(trace, told[3..35]);
        assert!(told.ends_with("-01"));
    }
    let child = &found[&told(&tier)[0][36..52]];
    assert_eq!(child.name, "POST /pay");
    assert_eq!(
        child.parent_span_id,
        [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]
    );
    let text = format!("{found:?}");
    for attribute in [
        "http.response.status_code",
        "payments.request_id",
        "/pay/{id}",
    ] {
        assert!(text.contains(attribute), "{attribute} in {text}");
    }
    for word in ["Jane", "4111", "some-id", "/health"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}
