//! This machine's clock, by which it is told what is settled, which hours are over and how far back a search goes.

use payment_store::Store;
use time::{Duration, OffsetDateTime};

use crate::outcome::Failure;

/// Half of the time after which an hour counts as over.
const OFF_MAX: Duration = Duration::minutes(1);

/// Refuses to work by a clock that is far from the database's.
pub async fn expect_right(store: &Store) -> Result<(), Failure> {
    let theirs = store.clock().await?;
    let off = OffsetDateTime::now_utc() - theirs.to_utc();
    if off.abs() <= OFF_MAX {
        return Ok(());
    }
    Err(format!(
        "this machine's clock is {} s off the database's, which says {theirs}: what is settled can't be told by it; \
         sudo systemctl restart chronyd && chronyc tracking",
        off.whole_seconds()
    )
    .into())
}
