//! What remains after a restart and after a kill.

use crate::support::{EVENTS, Lab, PLAIN, attribute, bodies};

#[tokio::test]
async fn messages_counts_and_receipts_survive_a_restart() {
    let lab = Lab::start().await;
    lab.send(EVENTS, "received").await;
    let received = lab.receive(EVENTS, 600).await.pop().unwrap();
    lab.send(EVENTS, "waiting").await;
    let gone = lab.send(PLAIN, "deleted").await;
    let deleted = lab.receive(PLAIN, 600).await.pop().unwrap();
    assert_eq!(deleted.message_id(), Some(gone.as_str()));
    lab.delete(PLAIN, &deleted).await;

    let lab = lab.restart().await;
    assert_eq!(lab.depth(EVENTS).await, [2, 0, 0]);
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 0]);
    lab.delete(EVENTS, &received).await;
    let rest = lab.receive(EVENTS, 0).await;
    assert_eq!(bodies(&rest), ["waiting"]);

    let lab = lab.restart().await;
    let rest = lab.receive(EVENTS, 0).await;
    assert_eq!(attribute(&rest[0], "ApproximateReceiveCount"), "2");
    lab.end().await;
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_cleared() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "whole").await;
    let folder = lab.root.path().join("sqs/queues").join(PLAIN);
    let id = "019335d8-0000-7000-8000-000000000000";
    for name in [format!("{id}.tmp"), format!("{id}.history")] {
        std::fs::write(folder.join(name), "{").unwrap();
    }
    let lab = lab.restart().await;
    assert_eq!(bodies(&lab.receive(PLAIN, 0).await), ["whole"]);
    assert!(!folder.join(format!("{id}.tmp")).exists());
    assert!(!folder.join(format!("{id}.history")).exists());
    lab.end().await;
}

#[tokio::test]
async fn a_message_older_than_the_queue_keeps_is_gone() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "young").await;
    // The id dates it to 2024.
    let folder = lab.root.path().join("sqs/queues").join(PLAIN);
    let old = folder.join("019335d8-0000-7000-8000-000000000000.json");
    std::fs::write(&old, r#"{"body":"old"}"#).unwrap();
    let lab = lab.restart().await;
    assert_eq!(bodies(&lab.receive(PLAIN, 0).await), ["young"]);
    assert!(!old.exists());
    lab.end().await;
}
