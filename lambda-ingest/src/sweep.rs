//! Finds objects of the last hours that were never ingested: their event was lost, or gave up (promise P2).

use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, ObjectVersion, Timestamp};
use payment_store::{Backend, Store};
use time::Duration;

use crate::config::Sweep;
use crate::objects::{ObjectError, Objects};

/// Younger objects are left to their event, which is most likely on its way.
const AGE_MIN: Duration = Duration::seconds(10);

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error("a schedule came, but LOG_BUCKET is not set: name the bucket that is to be swept")]
    NoBucket,
    #[error("the bucket could not be listed")]
    List(#[from] ObjectError),
    #[error("the database could not say what was ingested")]
    Store(#[from] payment_store::Error),
}

/// Objects stored in the last `sweep.hours` and not ingested by now.
pub async fn find_missing(
    objects: &impl Objects,
    store: &Store<impl Backend>,
    sweep: &Sweep,
    now: Timestamp,
) -> Result<Vec<ObjectRef>, SweepError> {
    let bucket = sweep.bucket.as_deref().ok_or(SweepError::NoBucket)?;
    let window = Window {
        from: moved(now, -Duration::hours(sweep.hours.into())),
        to: moved(now, -AGE_MIN),
    };
    let mut missing = Vec::new();
    for prefix in window.prefixes(&sweep.prefix) {
        let mut page = None;
        loop {
            let (listed, next) = objects.list(bucket, &prefix, page).await?;
            let due = listed
                .into_iter()
                .filter(|object| window.holds(object) && !object.key.is_folder())
                .collect();
            missing.extend(store.not_ingested(due).await?);
            page = next;
            if page.is_none() {
                break;
            }
        }
    }
    Ok(missing
        .into_iter()
        .map(|object| ObjectRef {
            bucket: bucket.to_owned(),
            key: object.key,
        })
        .collect())
}

struct Window {
    from: Timestamp,
    to: Timestamp,
}

impl Window {
    /// The hours of the batches, then the level where single payments lie. A batch is named after the time of its
    /// first payment, which is a little before it is stored, by the clock of its node, which may be wrong: so
    /// there is an hour to spare on both sides.
    fn prefixes(&self, prefix: &str) -> Vec<String> {
        let hour = Duration::hours(1);
        let last = ObjectKey::hour_prefix(prefix, moved(self.to, hour));
        let mut prefixes: Vec<String> =
            std::iter::successors(Some(moved(self.from, -hour)), |at| Some(moved(*at, hour)))
                .map(|at| ObjectKey::hour_prefix(prefix, at))
                // Prefixes sort as their hours do.
                .take_while(|hour| *hour <= last)
                .collect();
        prefixes.push(prefix.to_owned());
        prefixes
    }

    fn holds(&self, object: &ObjectVersion) -> bool {
        (self.from..=self.to).contains(&object.stored_at)
    }
}

fn moved(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::new(at.to_utc().saturating_add(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_every_hour_of_the_window_is_listed_with_one_to_spare_and_the_top_level() {
        let at = |text| Timestamp::parse(text).unwrap();
        let window = Window {
            from: at("2026-11-21T23:30:00Z"),
            to: at("2026-11-22T01:10:00Z"),
        };
        assert_eq!(
            window.prefixes("t/"),
            [
                "t/dt=2026-11-21/hh=22/",
                "t/dt=2026-11-21/hh=23/",
                "t/dt=2026-11-22/hh=00/",
                "t/dt=2026-11-22/hh=01/",
                "t/dt=2026-11-22/hh=02/",
                "t/",
            ]
        );
    }
}
