//! Objects whose event was lost.

use lambda_ingest::handler::Handler;
use lambda_ingest::sweep::find_missing;
use payment_core::{ObjectKey, Timestamp};
use sqlx::MySqlPool;
use time::{Duration, OffsetDateTime};

use crate::bucket::{Bucket, event, line, sweep};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_the_sweep_finds_what_was_never_ingested_and_nothing_else(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let hour = ObjectKey::hour_prefix("transactions/", after(Duration::ZERO));
    let (taken, lost) = (format!("{hour}taken.ndjson"), format!("{hour}lost.ndjson"));
    bucket.put(&taken, &line("a")).await;
    bucket.put(&lost, &line("b")).await;
    bucket.put("transactions/older.json", r#"{"id":"c"}"#).await;
    bucket.put("elsewhere/x.json", r#"{"id":"d"}"#).await;
    bucket
        .handler()
        .handle(&event(&[&taken]).to_string(), "r", None)
        .await
        .unwrap();

    let missing = async |now| {
        let found = find_missing(&bucket.objects(), &bucket.store, &sweep(), now)
            .await
            .unwrap();
        found
            .iter()
            .map(|object| object.key.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        missing(after(Duration::ZERO)).await,
        [""; 0],
        "young objects are left to their event"
    );
    assert_eq!(
        missing(after(Duration::minutes(1))).await,
        [lost, "transactions/older.json".to_owned()]
    );
    assert_eq!(
        missing(after(Duration::days(2))).await,
        [""; 0],
        "and what is past the window to a person"
    );
}

/// After a long outage there may be more than one run can do: it ends in order, with nothing half done.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_sweep_that_runs_out_of_time_ends_in_order_and_the_next_goes_on(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket.put("transactions/lost.json", r#"{"id":"c"}"#).await;
    // Young objects are left to their event: for this handler a minute has passed.
    let later = || after(Duration::minutes(1));
    let handler = Handler::with_clock(bucket.objects(), bucket.store.clone(), sweep(), later);
    let schedule = r#"{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#;
    let run = async |deadline| handler.handle(schedule, "r", deadline).await.unwrap();

    let answer = run(Some(later())).await;
    assert_eq!((answer.tally.swept, answer.tally.rows), (0, 0));
    let answer = run(Some(after(Duration::minutes(2)))).await;
    assert_eq!((answer.tally.swept, answer.tally.rows), (1, 1));
}

fn after(time: Duration) -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc() + time)
}
