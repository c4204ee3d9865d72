//! P11: a past that was verified once cannot be changed unseen by whoever kept the file.

use std::fs;

use sqlx::MySqlPool;
use tempfile::TempDir;

use super::{erase, ingested, put, run, verify};
use crate::harness::Pipeline;

/// A file of one checkpoint up to eight, and one up to now.
pub async fn checkpoints(pipeline: &Pipeline) -> (TempDir, String, String) {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, key) = (path("checkpoints.ndjson"), path("key.pem"));
    let made = pipeline.payctl(&["key", "new", &key]).await;
    made.check(0, &["BEGIN PUBLIC KEY"]);
    fs::write(path("public.pem"), &made.out).unwrap();
    assert_eq!(
        pipeline.payctl(&["key", "public", &key]).await.out,
        made.out
    );
    let checkpoint = ["--checkpoint", &file, "--key", &key];
    let first = [&checkpoint[..], &["--to", "2026-11-22T08:00:00Z"]].concat();
    verify(
        pipeline,
        &first,
        0,
        &["checkpoint 1 up to 2026-11-22T08:00:00"],
    )
    .await;
    put(pipeline, &run(0xa2, "2026-11-23T09", "b")).await;
    verify(
        pipeline,
        &checkpoint,
        0,
        &["from 2026-11-22T08:00:00", "appended"],
    )
    .await;
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    verify(pipeline, &checkpoint, 2, &["no hour is over"]).await;
    let public = path("public.pem");
    (folder, file, public)
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_past_that_was_rewritten_no_longer_holds_against_its_checkpoint(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let (_folder, file, public) = checkpoints(&pipeline).await;
    let against = ["--against", &file, "--key", &public];
    verify(
        &pipeline,
        &against,
        0,
        &["2 checkpoints before, the last up to 202"],
    )
    .await;
    // A whole run that never was.
    let forged = run(0xf1, "2026-11-23T09", "f");
    put(&pipeline, &forged).await;
    verify(&pipeline, &[], 0, &[]).await;
    verify(
        &pipeline,
        &against,
        1,
        &["hour rewritten", "dt=2026-11-23/hh=09", "checkpoint 2"],
    )
    .await;
    for object in &forged {
        erase(&pipeline, object).await;
    }
    verify(&pipeline, &against, 0, &[]).await;
    // A whole run that was.
    for object in &objects {
        erase(&pipeline, object).await;
    }
    verify(&pipeline, &[], 0, &[]).await;
    verify(
        &pipeline,
        &against,
        1,
        &["hour rewritten", "dt=2026-11-22/hh=07", "checkpoint 1"],
    )
    .await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_file_of_checkpoints_that_was_forged_is_refused(pool: MySqlPool) {
    let (pipeline, _) = ingested(pool).await;
    let (_folder, file, public) = checkpoints(&pipeline).await;
    let text = fs::read_to_string(&file).unwrap();
    let cut = text.lines().last().unwrap().to_owned() + "\n";
    for forged in [text.replace("\"objects\":4", "\"objects\":3"), cut] {
        assert_ne!(forged, text);
        fs::write(&file, forged).unwrap();
        for how in ["--against", "--checkpoint"] {
            verify(
                &pipeline,
                &[how, &file, "--key", &public],
                1,
                &["checkpoints.ndjson: "],
            )
            .await;
        }
    }
}

/// A device has no end, and a folder no content.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_what_is_no_file_is_no_file_of_checkpoints(pool: MySqlPool) {
    let (pipeline, _) = ingested(pool).await;
    for (file, why) in [("/dev/zero", "bytes or more"), ("/", "directory")] {
        verify(&pipeline, &["--checkpoint", file], 64, &[why]).await;
        verify(&pipeline, &["--against", file], 64, &[why]).await;
        verify(&pipeline, &["--checkpoint", "c", "--key", file], 64, &[why]).await;
    }
}

/// Nothing is signed that is not right.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_what_is_not_clean_gets_no_checkpoint(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("key.pem");
    let file = folder.path().join("checkpoints.ndjson");
    let (key, file) = (key.to_str().unwrap(), file.to_str().unwrap());
    pipeline.payctl(&["key", "new", key]).await.check(0, &[]);
    erase(&pipeline, &objects[0]).await;
    let args = ["--checkpoint", file, "--key", key];
    verify(
        &pipeline,
        &args,
        1,
        &["object missing", "no checkpoint is written"],
    )
    .await;
    assert!(fs::metadata(file).is_err());
}
