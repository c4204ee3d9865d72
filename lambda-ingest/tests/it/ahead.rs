//! How many objects are in memory at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use lambda_ingest::handler::Handler;
use lambda_ingest::objects::{Body, ObjectError, Objects, Opened, Page, S3Objects};
use payment_core::event::ObjectRef;
use sqlx::MySqlPool;

use crate::bucket::{Bucket, event, line, sweep};

/// The bucket, and how many of its objects were open at the same time at most.
#[derive(Debug)]
struct Watched {
    objects: S3Objects,
    open: Arc<()>,
    most: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct WatchedBody {
    body: ByteStream,
    _open: Arc<()>,
}

impl Objects for Watched {
    type Body = WatchedBody;

    async fn open(&self, object: &ObjectRef) -> Result<Opened<WatchedBody>, ObjectError> {
        let opened = self.objects.open(object).await?;
        let body = WatchedBody {
            body: opened.body,
            _open: Arc::clone(&self.open),
        };
        let open = Arc::strong_count(&self.open) - 1;
        self.most.fetch_max(open, Ordering::Relaxed);
        Ok(Opened {
            version: opened.version,
            bytes: opened.bytes,
            body,
        })
    }

    async fn list(&self, bucket: &str, prefix: &str, after: &str) -> Result<Page, ObjectError> {
        self.objects.list(bucket, prefix, after).await
    }
}

impl Body for WatchedBody {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        Body::next(&mut self.body).await
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_no_object_is_read_beside_a_large_one(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let most = Arc::default();
    let objects = Watched {
        objects: bucket.objects(),
        open: Arc::default(),
        most: Arc::clone(&most),
    };
    let handler = Handler::new(objects, bucket.store.clone(), sweep());
    for (size, allowed) in [(1, 2), (1_000_000, 2), (2_000_000, 1)] {
        let keys: Vec<_> = (0..3)
            .map(|n| format!("transactions/{size}-{n}.ndjson"))
            .collect();
        for key in &keys {
            let id = key.replace('/', ".");
            bucket.put(key, &(line(&id) + &" ".repeat(size))).await;
        }
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        most.store(0, Ordering::Relaxed);
        handler
            .handle(&event(&keys).to_string(), "r", None)
            .await
            .unwrap();
        // The first may be done before the second is open.
        let most = most.load(Ordering::Relaxed);
        assert!((1..=allowed).contains(&most), "{most} of {size} bytes");
    }
}
