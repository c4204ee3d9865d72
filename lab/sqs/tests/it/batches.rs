//! Batch operations: each entry has its own result.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry,
};

use crate::support::{Lab, PLAIN, bodies, code};

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    let entry = SendMessageBatchRequestEntry::builder();
    entry.id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn a_batch_is_sent_hidden_and_deleted_entry_by_entry() {
    let lab = Lab::start().await;
    let request = lab.client.send_message_batch().queue_url(lab.url(PLAIN));
    let sent = request
        .entries(entry("one", "1"))
        .entries(entry("two", "not \u{1} allowed"))
        .entries(entry("three", "3"))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.successful().len(), 2);
    assert_eq!(sent.failed()[0].id(), "two");
    assert_eq!(sent.failed()[0].code(), "InvalidMessageContents");
    assert!(sent.failed()[0].sender_fault());

    let received = lab.receive(PLAIN, 600).await;
    assert_eq!(bodies(&received), ["1", "3"]);
    let handles: Vec<_> = received
        .iter()
        .map(|message| message.receipt_handle().unwrap())
        .collect();
    let request = lab
        .client
        .change_message_visibility_batch()
        .queue_url(lab.url(PLAIN));
    let hide = |id: &str, handle: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        let entry = entry.receipt_handle(handle).visibility_timeout(300);
        entry.build().unwrap()
    };
    let hidden = request
        .entries(hide("a", handles[0]))
        .entries(hide("b", "no handle"))
        .send()
        .await
        .unwrap();
    assert_eq!(hidden.successful()[0].id(), "a");
    assert_eq!(hidden.failed()[0].code(), "ReceiptHandleIsInvalid");

    let request = lab.client.delete_message_batch().queue_url(lab.url(PLAIN));
    let delete = |id: &str, handle: &str| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id);
        entry.receipt_handle(handle).build().unwrap()
    };
    let deleted = request
        .entries(delete("a", handles[0]))
        .entries(delete("b", handles[1]))
        .send()
        .await
        .unwrap();
    assert_eq!((deleted.successful().len(), deleted.failed().len()), (2, 0));
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 0]);
    lab.end().await;
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_refused_as_a_whole() {
    let lab = Lab::start().await;
    let many: Vec<_> = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let large = "x".repeat(600_000);
    for (entries, expected) in [
        (vec![], "EmptyBatchRequest"),
        (many, "TooManyEntriesInBatchRequest"),
        (
            vec![entry("a", "1"), entry("a", "2")],
            "BatchEntryIdsNotDistinct",
        ),
        (vec![entry("a b", "1")], "InvalidBatchEntryId"),
        (
            vec![entry("a", &large), entry("b", &large)],
            "BatchRequestTooLong",
        ),
    ] {
        let request = lab.client.send_message_batch().queue_url(lab.url(PLAIN));
        let result = request.set_entries(Some(entries)).send().await;
        assert_eq!(code(result), format!("AWS.SimpleQueueService.{expected}"));
    }
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 0]);
    lab.end().await;
}
