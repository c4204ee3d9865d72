//! Bodies that come slowly or not at all.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, Request};
use http_service::http::{idempotency_key, media_type, read_body, read_json};
use hyper::body::Frame;
use payment_core::ErrorCode;
use tokio::time::{Instant, Interval, interval};

/// A byte a second, for ever.
struct Drip(Interval);

impl hyper::body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.0.poll_tick(context));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}

#[tokio::test(start_paused = true)]
async fn p5_a_body_that_drips_in_is_given_up_after_five_seconds() {
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::new(Drip(interval(Duration::from_secs(1)))))
        .unwrap();
    let asked_at = Instant::now();
    let refusal = read_json(request, 16 * 1024).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::RequestTimeout);
    assert_eq!(asked_at.elapsed(), Duration::from_secs(5));
}

#[tokio::test]
async fn p5_a_body_is_read_up_to_its_limit_alone() {
    let request = |body: &'static str| {
        Request::post("/")
            .header(CONTENT_TYPE, "application/vnd.x+json; charset=utf-8")
            .body(Body::new(http_body_util::Full::new(Bytes::from(body))))
            .unwrap()
    };
    assert_eq!(read_json(request("1234"), 4).await.unwrap(), "1234");
    let refusal = read_json(request("12345"), 4).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BodyTooLarge);
}

/// Pieces of one byte, each of a buffer of its own that is counted as long as something keeps it.
struct Crumbs {
    left: usize,
    kept: Arc<()>,
    kept_most: Arc<AtomicUsize>,
}

struct Buffer {
    _kept: Arc<()>,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        b" "
    }
}

impl hyper::body::Body for Crumbs {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.kept_most
            .fetch_max(Arc::strong_count(&self.kept) - 1, Ordering::Relaxed);
        let Some(left) = self.left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.left = left;
        let buffer = Buffer {
            _kept: Arc::clone(&self.kept),
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(buffer)))))
    }
}

#[tokio::test]
async fn p5_a_body_in_tiny_pieces_keeps_none_of_their_buffers() {
    let kept_most = Arc::<AtomicUsize>::default();
    let crumbs = Crumbs {
        left: 1000,
        kept: Arc::default(),
        kept_most: Arc::clone(&kept_most),
    };
    let request = Request::post("/").body(Body::new(crumbs)).unwrap();
    let body = read_body(request, 1024).await.unwrap();
    assert_eq!(body.len(), 1000);
    assert_eq!(kept_most.load(Ordering::Relaxed), 0);
}

#[test]
fn a_media_type_is_told_without_its_parameters() {
    let told = |value: &'static str| {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        media_type(&headers).map(str::to_owned)
    };
    assert_eq!(
        told("application/json").as_deref(),
        Some("application/json")
    );
    let with_parameters = told(" Application/JSON ; charset=utf-8");
    assert_eq!(with_parameters.as_deref(), Some("Application/JSON"));
    assert_eq!(told("").as_deref(), Some(""));
    assert_eq!(media_type(&HeaderMap::new()), None);
}

#[tokio::test]
async fn a_body_in_a_coding_is_refused_by_the_coding() {
    let read = async |codings: &[&'static str]| {
        let mut request = Request::post("/").body(Body::from("1234")).unwrap();
        for coding in codings {
            let value = HeaderValue::from_static(coding);
            request.headers_mut().append(CONTENT_ENCODING, value);
        }
        read_body(request, 4).await
    };
    for plain in [&[][..], &["identity"], &["Identity, IDENTITY"], &[""]] {
        assert_eq!(read(plain).await.unwrap(), "1234", "{plain:?}");
    }
    for coded in [&["gzip"][..], &["identity, br"], &["identity", "deflate"]] {
        let refusal = read(coded).await.unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnsupportedMediaType, "{coded:?}");
        assert!(refusal.detail.contains("Content-Encoding"), "{refusal:?}");
    }
}

#[test]
fn p4_one_key_sent_twice_is_one_and_two_keys_are_refused() {
    let told = |keys: &[&'static str]| {
        let name = HeaderName::from_static("idempotency-key");
        let key = |key: &&'static str| (name.clone(), HeaderValue::from_static(key));
        let headers: HeaderMap = keys.iter().map(key).collect();
        match idempotency_key(&headers) {
            Ok(key) => Ok(key.map(|key| key.to_str().unwrap().to_owned())),
            Err(refusal) => Err(refusal.code),
        }
    };
    assert_eq!(told(&[]), Ok(None));
    assert_eq!(told(&["a", "a"]), Ok(Some("a".to_owned())));
    for differ in [&["a", "b"][..], &["a", "a", "b"], &["a", "A"]] {
        assert_eq!(told(differ), Err(ErrorCode::IdMismatch), "{differ:?}");
    }
}
