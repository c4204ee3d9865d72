//! The folder of an hour, whose keys sort by time.

use payment_core::{ObjectKey, Timestamp};
use time::{Date, Month, OffsetDateTime, Time};

use super::{Count, Folder, OBJECTS_MAX, Page, keep_newest};
use crate::source::Away;

const HOUR_MS: i64 = 3_600_000;

/// Length of the end of the hour that is listed first. Under load it fills a page.
const FIRST_MS: i64 = 1_000;

/// An hour, by the prefix of its keys.
#[derive(Debug)]
pub(super) struct Hour<'a> {
    /// Prefix of all keys of the journal.
    root: &'a str,
    start_ms: i64,
}

impl<'a> Hour<'a> {
    /// Parses `transactions/dt=2026-11-25/hh=07/`.
    pub(super) fn of(prefix: &'a str) -> Option<Self> {
        let (root, rest) = prefix.split_once("dt=")?;
        let (date, hour) = rest.strip_suffix('/')?.split_once("/hh=")?;
        let mut date = date.splitn(3, '-');
        let year = date.next()?.parse().ok()?;
        let month = Month::try_from(date.next()?.parse::<u8>().ok()?).ok()?;
        let date = Date::from_calendar_date(year, month, date.next()?.parse().ok()?).ok()?;
        let start = OffsetDateTime::new_utc(date, Time::from_hms(hour.parse().ok()?, 0, 0).ok()?);
        let is_whole = ObjectKey::hour_prefix(root, Timestamp::new(start)) == prefix;
        is_whole.then(|| Self {
            root,
            start_ms: start.unix_timestamp() * 1_000,
        })
    }

    /// Lists longer and longer ends of the hour until one has enough objects, and shorter ones if a page of S3 does not
    /// hold it. `None` if one millisecond has more than a page, as with keys that do not sort by time.
    pub(super) async fn newest<F>(
        &self,
        now: OffsetDateTime,
        list: impl Fn(Option<String>) -> F,
    ) -> Result<Option<Folder>, Away>
    where
        F: Future<Output = Result<Page, Away>>,
    {
        let now_ms = now.unix_timestamp() * 1_000 + i64::from(now.millisecond());
        // Ends that start at `few` have too few objects, those that start at `many` too many.
        let mut few = (self.start_ms + HOUR_MS).min(now_ms).max(self.start_ms + 1);
        let mut many = None;
        let mut step = FIRST_MS;
        loop {
            let from = (few - step).max(many.unwrap_or(self.start_ms));
            let page = list(self.key_before(from)).await?;
            if page.next.is_some() {
                if few - from <= 1 {
                    return Ok(None);
                }
                many = Some(from);
            } else if page.objects.len() >= OBJECTS_MAX || from <= self.start_ms {
                return Ok(Some(self.folder(page, from, now)));
            } else {
                few = from;
            }
            step = many.map_or(step * 4, |many| ((few - many) / 2).max(1));
        }
    }

    /// Returns the text that sorts just before the keys of a moment; `None` at the start, where other keys may come
    /// first.
    fn key_before(&self, at_ms: i64) -> Option<String> {
        let at = Timestamp::from_unix_millis(at_ms)?;
        (at_ms > self.start_ms).then(|| ObjectKey::batches_from(self.root, at))
    }

    fn folder(&self, page: Page, from_ms: i64, at: OffsetDateTime) -> Folder {
        let Page {
            mut folders,
            mut objects,
            ..
        } = page;
        let count = if from_ms <= self.start_ms {
            Count::All(objects.len())
        } else {
            Count::NewestAlone
        };
        folders.reverse();
        keep_newest(&mut objects);
        Folder {
            folders,
            objects,
            count,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use uuid::Uuid;

    use super::super::Listed;
    use super::*;

    const PREFIX: &str = "transactions/dt=2026-11-25/hh=07/";

    /// Keys per page of S3.
    const PAGE: usize = 1_000;

    fn at(ms: i64) -> Timestamp {
        let start = Hour::of(PREFIX).unwrap().start_ms;
        Timestamp::from_unix_millis(start + ms).unwrap()
    }

    /// Keys of these milliseconds of the hour, sorted.
    fn keys(moments: impl Iterator<Item = i64>) -> Vec<String> {
        let key = |(n, ms): (usize, i64)| {
            let unique = Uuid::from_u128(n.try_into().unwrap());
            ObjectKey::batch("transactions/", at(ms), unique, "a").to_string()
        };
        let mut keys: Vec<_> = moments.enumerate().map(key).collect();
        keys.sort();
        keys
    }

    /// Lists like S3; returns what was found and the number of requests.
    async fn newest(keys: &[String], now: Timestamp) -> (Option<Folder>, u32) {
        let asked = Cell::new(0);
        let list = |after: Option<String>| {
            asked.set(asked.get() + 1);
            let first =
                keys.partition_point(|key| after.as_ref().is_some_and(|after| key <= after));
            let mut rest = keys[first..].iter();
            let listed = |key: &String| Listed {
                key: key.clone(),
                bytes: 1,
                stored_at: Timestamp::EPOCH,
            };
            let objects = rest.by_ref().take(PAGE).map(listed).collect();
            ready(Ok(Page {
                objects,
                next: rest.next().cloned(),
                folders: Vec::new(),
            }))
        };
        let hour = Hour::of(PREFIX).unwrap();
        (hour.newest(now.to_utc(), list).await.unwrap(), asked.get())
    }

    #[tokio::test]
    async fn the_newest_of_100_000_objects_are_found_in_a_few_questions() {
        let hour: fn(i64) -> i64 = |n| n * 36;
        let burst_at_the_start = |n| n / 100;
        let burst_and_a_few_later = |n| {
            if n < 99_950 {
                10_000 + n / 100
            } else {
                3_599_999
            }
        };
        let one_second_long_ago = |n| 600_000 + n / 100;
        for moment in [
            hour,
            burst_at_the_start,
            burst_and_a_few_later,
            one_second_long_ago,
        ] {
            let keys = keys((0..100_000).map(moment));
            let (found, asked) = newest(&keys, at(HOUR_MS * 5)).await;
            let found: Vec<_> = found
                .unwrap()
                .objects
                .into_iter()
                .map(|object| object.key)
                .collect();
            let expected: Vec<_> = keys.iter().rev().take(OBJECTS_MAX).cloned().collect();
            assert_eq!(found, expected);
            assert!(asked <= 32, "{asked}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_fits_an_answer_is_counted() {
        for count in [0, 1, 99, 1_000] {
            let keys = keys((0..count).map(|n| n * 3_599));
            let (found, _) = newest(&keys, at(HOUR_MS)).await;
            let count = found.unwrap().count;
            let expected = if keys.len() <= OBJECTS_MAX {
                Count::All(keys.len())
            } else {
                Count::NewestAlone
            };
            assert_eq!(count, expected);
        }
        // A node whose clock is ahead of the console's writes keys in the future.
        let ahead = keys([5_000, 1_800_000].into_iter());
        let (found, _) = newest(&ahead, at(1_000)).await;
        assert_eq!(found.unwrap().objects.len(), 2);
    }

    #[tokio::test]
    async fn keys_that_are_not_by_time_are_left_to_a_whole_listing() {
        let foreign: Vec<_> = (0..5_000)
            .map(|n| format!("{PREFIX}z{n:05}.json"))
            .collect();
        assert!(newest(&foreign, at(HOUR_MS)).await.0.is_none());
    }

    #[test]
    fn only_the_prefix_of_a_whole_hour_is_one() {
        assert!(Hour::of(PREFIX).is_some());
        for other in [
            "",
            "transactions/",
            "transactions/dt=2026-11-25/",
            "transactions/dt=2026-11-25/hh=7/",
            "transactions/dt=2026-11-25/hh=24/",
            "transactions/dt=2026-02-30/hh=07/",
            "transactions/dt=2026-11-25/hh=07/01a2",
            "transactions/dt=2026-11-25/hh=07",
        ] {
            assert!(Hour::of(other).is_none(), "{other}");
        }
    }
}
