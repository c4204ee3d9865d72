//! Complete listings of folders, which run in the background while pages show the previous one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use time::OffsetDateTime;
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout};

use super::{Count, Folder, keep_newest, page};
use crate::source::Away;

/// How long a page waits for a listing, which is enough for some thousand objects.
const WAIT: Duration = Duration::from_millis(300);

/// Most folders that are cached.
const FOLDERS_MAX: usize = 32;

/// One listing per folder that was requested.
#[derive(Debug, Default)]
pub struct Walks(Mutex<BTreeMap<String, Receiver<Walk>>>);

#[derive(Clone, Debug, Default)]
struct Walk {
    /// The result so far: of this listing, or of the previous one until this one ends.
    found: Option<Result<Arc<Folder>, Away>>,
    /// When the folder may be listed again; `None` while it is being listed.
    again: Option<Instant>,
}

impl Walks {
    pub(super) async fn folder(&self, prefix: &str, s3: &Client) -> Result<Arc<Folder>, Away> {
        let mut walk = self.join(prefix, s3);
        // If late or given up, it shows what it has.
        let _ = timeout(WAIT, walk.wait_for(|walk| walk.again.is_some())).await;
        let _ = walk.wait_for(|walk| walk.found.is_some()).await;
        let found = walk.borrow().found.clone();
        found.unwrap_or_else(|| Err(Away("the listing was given up".to_owned())))
    }

    /// Joins the current or latest listing, or starts a new one.
    fn join(&self, prefix: &str, s3: &Client) -> Receiver<Walk> {
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = Walk::default();
        if let Some(known) = walks.get(prefix) {
            before = known.borrow().clone();
            let goes_on = known.has_changed().is_ok();
            let rests = before.again.is_some_and(|again| again > Instant::now());
            if goes_on || rests {
                return known.clone();
            }
        }
        if walks.len() >= FOLDERS_MAX {
            walks.retain(|_, walk| walk.borrow().again.is_none());
        }
        let (sender, walk) = channel(Walk {
            again: None,
            ..before
        });
        walks.insert(prefix.to_owned(), walk.clone());
        tokio::spawn(list(prefix.to_owned(), s3.clone(), sender));
        walk
    }
}

/// Lists a folder to its end. A first listing publishes its progress.
async fn list(prefix: String, s3: Client, walk: Sender<Walk>) {
    let started = Instant::now();
    let at = OffsetDateTime::now_utc();
    let is_first = !matches!(walk.borrow().found, Some(Ok(_)));
    let (mut folders, mut objects) = (Vec::new(), Vec::new());
    let (mut count, mut token) = (0, None);
    let found = loop {
        let page = match page(&s3, &prefix, None, token).await {
            Ok(page) => page,
            Err(away) => break Err(away),
        };
        count += page.objects.len();
        folders.extend(page.folders);
        objects.extend(page.objects);
        keep_newest(&mut objects);
        let folder = |count| {
            Arc::new(Folder {
                folders: folders.iter().rev().cloned().collect(),
                objects: objects.clone(),
                count,
                at,
            })
        };
        token = page.next;
        if token.is_none() {
            break Ok(folder(Count::All(count)));
        }
        if is_first {
            let found = Some(Ok(folder(Count::SoFar(count))));
            walk.send_modify(|walk| walk.found = found);
        }
    };
    // Waits as long as the listing took, so that an open page does not keep S3 busy.
    let again = Some(Instant::now() + started.elapsed());
    walk.send_replace(Walk {
        found: Some(found),
        again,
    });
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use aws_sdk_s3::Config;
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_http_client::Builder;
    use axum::http::Uri;
    use tokio::net::TcpListener;

    use super::super::{Listed, OBJECTS_MAX};
    use super::*;

    const OBJECTS: usize = 100_000;
    const PAGE: usize = 1_000;

    /// Lists objects whose keys do not sort by time: the newest is the first.
    async fn listing(uri: Uri) -> String {
        let query: BTreeMap<String, String> =
            serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap();
        let token = query.get("continuation-token");
        let first = token.map_or(0, |token| token.parse().unwrap());
        let mut answer = "<ListBucketResult>".to_owned();
        for number in first..first + PAGE {
            let (minute, second) = (59 - number / 60 % 60, 59 - number % 60);
            let hour = 23 - number / 3_600 % 24;
            let day = 9 - number / 86_400;
            write!(
                answer,
                "<Contents><Key>k{number:06}</Key><Size>1</Size>\
                 <LastModified>2026-11-0{day}T{hour:02}:{minute:02}:{second:02}Z</LastModified></Contents>"
            )
            .unwrap();
        }
        let next = first + PAGE;
        if next < OBJECTS {
            write!(
                answer,
                "<NextContinuationToken>{next}</NextContinuationToken>"
            )
            .unwrap();
        }
        answer + "</ListBucketResult>"
    }

    async fn s3() -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(listing);
        tokio::spawn(async { axum::serve(listener, router).await });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .endpoint_url(url)
            .force_path_style(true)
            .credentials_provider(Credentials::from_keys("key", "secret", None))
            .http_client(Builder::new().build_http());
        Client::from_conf(config.build())
    }

    #[tokio::test]
    async fn a_large_folder_is_shown_as_it_grows_and_then_its_newest() {
        let (walks, s3) = (Walks::default(), s3().await);
        let mut counted = 0;
        loop {
            let folder = walks.folder("", &s3).await.unwrap();
            match folder.count {
                Count::SoFar(count) => {
                    assert!((counted..OBJECTS).contains(&count), "{count}");
                    counted = count;
                }
                count => {
                    assert_eq!(count, Count::All(OBJECTS));
                    let keys = folder.objects.iter().map(|object| object.key.as_str());
                    let newest: Vec<_> = (0..OBJECTS_MAX).map(|n| format!("k{n:06}")).collect();
                    assert_eq!(keys.collect::<Vec<_>>(), newest);
                    return;
                }
            }
        }
    }

    #[test]
    fn of_one_moment_the_last_key_is_the_newest() {
        let listed = |key: &str, ms| Listed {
            key: key.to_owned(),
            bytes: 1,
            stored_at: payment_core::Timestamp::from_unix_millis(ms).unwrap(),
        };
        let mut objects = vec![
            listed("a", 1),
            listed("b", 2),
            listed("c", 2),
            listed("d", 0),
        ];
        keep_newest(&mut objects);
        let keys: Vec<_> = objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["c", "b", "a", "d"]);
    }
}
