//! Damages response bodies.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::{Body, StdError};

/// Time for the data sent before a connection is closed: what is still in its buffer then is lost.
const FLUSH: Duration = Duration::from_millis(50);

/// Returns the body's length, if there is a body to damage.
pub fn length(response: &Response<Body>) -> Option<usize> {
    let declared = response.headers().get(CONTENT_LENGTH)?;
    let length = declared.to_str().ok()?.parse().ok()?;
    (length > 0).then_some(length)
}

/// Flips one byte in the middle of the body's first chunk.
pub fn corrupt(whole: Body) -> Body {
    let mut done = false;
    body(whole.map_ok(move |chunk| {
        if done || chunk.is_empty() {
            return chunk;
        }
        done = true;
        let mut bytes = chunk.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        bytes.into()
    }))
}

/// Returns the first `length` bytes, then an error, which closes the connection.
pub fn truncate(whole: Body, length: usize) -> Body {
    let first = whole.scan(length, |left, chunk| {
        let part = chunk.map(|mut bytes: Bytes| {
            bytes.truncate(*left);
            bytes
        });
        let wanted = *left > 0;
        *left -= part.as_ref().map_or(0, Bytes::len);
        std::future::ready(wanted.then_some(part))
    });
    let end = stream::once(async {
        tokio::time::sleep(FLUSH).await;
        Err(StdError::from("cut short by an injected fault"))
    });
    body(first.chain(end))
}

fn body(stream: impl Stream<Item = Result<Bytes, StdError>> + Send + 'static) -> Body {
    Body::http_body_unsync(StreamBody::new(stream.map_ok(Frame::data)))
}

#[cfg(test)]
mod tests {
    use futures::stream::{self, StreamExt, TryStreamExt};
    use s3s::{Body, StdError};

    use super::{body, corrupt, truncate};

    fn chunks() -> Body {
        let chunks = ["", "0123", "456", "789"].map(|chunk| Ok::<_, StdError>(chunk.into()));
        body(stream::iter(chunks))
    }

    #[tokio::test]
    async fn one_byte_is_flipped() {
        let got: Vec<_> = corrupt(chunks()).try_collect().await.unwrap();
        let got = got.concat();
        let differs: Vec<_> = (0..10)
            .filter(|at| got[*at] != b"0123456789"[*at])
            .collect();
        assert_eq!((got.len(), differs), (10, vec![2]));
    }

    #[tokio::test]
    async fn a_truncated_body_ends_in_an_error() {
        let mut got = truncate(chunks(), 5);
        let mut bytes = Vec::new();
        let error = loop {
            match got.next().await.unwrap() {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => break error,
            }
        };
        assert_eq!(bytes, b"01234");
        assert!(error.to_string().contains("fault"), "{error}");
    }
}
