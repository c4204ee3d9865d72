//! Memory of batches: charged as they arrive, given back once their answers were sent.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures::{FutureExt as _, StreamExt as _, stream};
use http::Request;
use http_body_util::BodyExt as _;
use http_service::http::{Batches, Refusal};
use http_service::metrics::Metrics;
use payment_core::ErrorCode;

const KIB: usize = 1024;

fn batches(memory: usize) -> Batches {
    Batches::with_memory(memory, &mut Metrics::default())
}

fn request(body: impl Into<Body>) -> Request<Body> {
    Request::post("/").body(body.into()).unwrap()
}

/// A line of so many bytes, and then nothing for ever.
fn half_sent(bytes: usize) -> Request<Body> {
    let sent = stream::once(async move { Ok::<_, Infallible>(Bytes::from(vec![b'1'; bytes])) });
    request(Body::from_stream(sent.chain(stream::pending())))
}

fn code<T>(result: Result<T, Refusal>) -> Option<ErrorCode> {
    result.err().map(|refusal| refusal.code)
}

#[tokio::test]
async fn p5_a_half_sent_batch_holds_what_arrived_and_no_more() {
    let batches = batches(8 * KIB);
    let mut slow = Box::pin(batches.read(half_sent(6 * KIB)));
    assert!((&mut slow).now_or_never().is_none());
    let whole = || request("{}\n".repeat(2));
    let refusal = batches.read(whole()).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Overloaded);
    assert_eq!(refusal.retry_after, Some(1));
    drop(slow);
    assert_eq!(code(batches.read(whole()).await), None);
}

#[tokio::test]
async fn p5_memory_is_held_until_the_answer_was_sent() {
    let batches = batches(3 * KIB);
    let batch = batches.read(request("{}\n{}")).await.unwrap();
    let answer = batch.answer("answer");
    let again = || batches.read(request("{}\n{}"));
    assert_eq!(code(again().await), Some(ErrorCode::Overloaded));
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "answer"
    );
    assert_eq!(code(again().await), None);
}

#[tokio::test(start_paused = true)]
async fn p5_an_answer_that_nobody_reads_is_cut_off() {
    let batches = batches(3 * KIB);
    let batch = batches.read(request("{}\n{}")).await.unwrap();
    let mut body = batch.answer("answer".repeat(10 * KIB)).into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap().len(), 16 * KIB);
    let again = || batches.read(request("{}\n{}"));
    while code(again().await).is_some() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn a_batch_is_refused_whole_only_for_its_size_or_header() {
    let batches = batches(8 * KIB * KIB);
    let line = format!("{}\n", "1".repeat(KIB - 1));
    for (body, refused) in [
        ("{}\n".repeat(1000), None),
        ("{}\n\n".repeat(1000), None),
        ("\u{fffd}\n[\n".to_owned(), None),
        (line.repeat(KIB), Some(ErrorCode::BodyTooLarge)),
        (line.repeat(KIB) + "1", Some(ErrorCode::BodyTooLarge)),
        ("{}\n".repeat(1001), Some(ErrorCode::BodyTooLarge)),
        (String::new(), Some(ErrorCode::MalformedJson)),
        ("\r\n \n".to_owned(), Some(ErrorCode::MalformedJson)),
    ] {
        let bytes = body.len();
        assert_eq!(code(batches.read(request(body)).await), refused, "{bytes}");
    }
    let mut with_key = request("{}");
    let key = "a".parse().unwrap();
    with_key.headers_mut().insert("idempotency-key", key);
    assert_eq!(
        code(batches.read(with_key).await),
        Some(ErrorCode::IdMismatch)
    );
}
