//! The life of a message: sent, received, hidden, deleted.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{DEAD, EVENTS, Lab, PLAIN, attribute, bodies, code, eventually};

#[tokio::test]
async fn a_message_comes_with_what_it_was_sent_with() {
    let lab = Lab::start().await;
    let text = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("b")
        .build()
        .unwrap();
    let sent = lab
        .client
        .send_message()
        .queue_url(lab.url(PLAIN))
        .message_body("hello, wörld")
        .message_attributes("a", text)
        .send()
        .await
        .unwrap();
    let message = lab.receive(PLAIN, 30).await.pop().unwrap();
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.body(), Some("hello, wörld"));
    assert_eq!(
        message.message_attributes().unwrap()["a"].string_value(),
        Some("b")
    );
    // Computed by another program; attributes are digested with lengths and types.
    for digests in [
        [sent.md5_of_message_body(), sent.md5_of_message_attributes()],
        [message.md5_of_body(), message.md5_of_message_attributes()],
    ] {
        assert_eq!(
            digests,
            [
                Some("05fd7869d57f5b5e39fe33ebb9b43631"),
                Some("bef8bf215374a0a228d67533b1a488be")
            ]
        );
    }
    let sent_at: u64 = attribute(&message, "SentTimestamp").parse().unwrap();
    let first: u64 = attribute(&message, "ApproximateFirstReceiveTimestamp")
        .parse()
        .unwrap();
    assert!(sent_at > 1_700_000_000_000 && first >= sent_at);
    assert_eq!(attribute(&message, "ApproximateReceiveCount"), "1");
    lab.end().await;
}

#[tokio::test]
async fn a_received_message_is_hidden_and_a_deleted_one_is_gone() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "a").await;
    let message = lab.receive(PLAIN, 600).await.pop().unwrap();
    assert_eq!(lab.receive(PLAIN, 600).await, []);
    assert_eq!(lab.depth(PLAIN).await, [0, 1, 0]);
    lab.delete(PLAIN, &message).await;
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 0]);
    // As with Amazon's SQS, deleting it again is not an error.
    lab.delete(PLAIN, &message).await;
    lab.end().await;
}

#[tokio::test]
async fn a_message_comes_again_after_its_visibility_timeout_and_only_the_last_receipt_deletes() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "a").await;
    let first = lab.receive(PLAIN, 0).await.pop().unwrap();
    let second = lab.receive(PLAIN, 600).await.pop().unwrap();
    assert_eq!(attribute(&second, "ApproximateReceiveCount"), "2");
    let first_received = "ApproximateFirstReceiveTimestamp";
    assert_eq!(
        attribute(&first, first_received),
        attribute(&second, first_received)
    );
    lab.delete(PLAIN, &first).await;
    assert_eq!(lab.depth(PLAIN).await, [0, 1, 0]);
    lab.delete(PLAIN, &second).await;
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 0]);
    lab.end().await;
}

#[tokio::test]
async fn visibility_can_be_ended_and_is_not_in_flight_then() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "a").await;
    let message = lab.receive(PLAIN, 600).await.pop().unwrap();
    let change = || {
        lab.client
            .change_message_visibility()
            .queue_url(lab.url(PLAIN))
            .receipt_handle(message.receipt_handle().unwrap())
    };
    change().visibility_timeout(0).send().await.unwrap();
    assert_eq!(lab.depth(PLAIN).await, [1, 0, 0]);
    let again = change().visibility_timeout(5).send().await;
    assert!(
        again
            .unwrap_err()
            .into_service_error()
            .is_message_not_inflight()
    );
    lab.delete(PLAIN, &message).await;
    let gone = change().visibility_timeout(5).send().await;
    assert_eq!(code(gone), "InvalidParameterValue");
    lab.end().await;
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_message() {
    let lab = Lab::start().await;
    let poll = || {
        lab.client
            .receive_message()
            .queue_url(lab.url(PLAIN))
            .wait_time_seconds(20)
            .send()
    };
    // One message that is sent while the poll waits, and one that becomes visible again.
    let (received, _) = tokio::join!(poll(), lab.send(PLAIN, "a"));
    assert_eq!(bodies(received.unwrap().messages()), ["a"]);
    let hidden = poll_hidden(&lab).await;
    assert_eq!(hidden, "b");
    lab.end().await;
}

async fn poll_hidden(lab: &Lab) -> String {
    lab.send(PLAIN, "b").await;
    assert_eq!(bodies(&lab.receive(PLAIN, 1).await), ["b"]);
    let request = lab.client.receive_message().queue_url(lab.url(PLAIN));
    let received = request.wait_time_seconds(20).send().await.unwrap();
    received.messages()[0].body().unwrap().to_owned()
}

/// Number of times a fault was injected, from the list of all faults.
fn injections(list: &str, kind: &str) -> u64 {
    let list: Value = serde_json::from_str(list).unwrap();
    let faults = list["faults"].as_array().unwrap();
    let fault = faults.iter().find(|fault| fault["kind"] == kind);
    fault.unwrap()["injected"].as_u64().unwrap()
}

#[tokio::test]
async fn a_long_poll_ends_with_the_server() {
    let lab = Lab::start().await;
    // A fault that does nothing but count requests.
    lab.fault("slow", &json!({"ms": 0})).await;
    let request = lab.client.receive_message().queue_url(lab.url(PLAIN));
    let poll = tokio::spawn(request.wait_time_seconds(20).send());
    eventually(
        async || lab.faults().await,
        |faults| injections(faults, "slow") == 1,
    )
    .await;
    lab.end().await;
    // The shutdown answers the poll: it is neither cut off nor left to wait for its 20 s.
    let answer = timeout(Duration::from_secs(5), poll).await.unwrap();
    assert!(answer.unwrap().unwrap().messages().is_empty());
}

#[tokio::test]
async fn a_delayed_message_waits() {
    let lab = Lab::start().await;
    let request = lab.client.send_message().queue_url(lab.url(PLAIN));
    let request = request.message_body("later").delay_seconds(1);
    request.send().await.unwrap();
    assert_eq!(lab.depth(PLAIN).await, [0, 0, 1]);
    assert_eq!(lab.receive(PLAIN, 0).await, []);
    let received = eventually(
        async || lab.receive(PLAIN, 600).await,
        |messages| !messages.is_empty(),
    )
    .await;
    assert_eq!(bodies(&received), ["later"]);
    lab.end().await;
}

#[tokio::test]
async fn queues_are_found_described_and_purged() {
    let lab = Lab::start().await;
    let found = lab.client.get_queue_url().queue_name(EVENTS).send().await;
    assert_eq!(found.unwrap().queue_url, Some(lab.url(EVENTS)));
    let list = lab.client.list_queues().queue_name_prefix("ev").send();
    assert_eq!(
        list.await.unwrap().queue_urls(),
        [lab.url(EVENTS), lab.url(DEAD)]
    );
    let page = lab
        .client
        .list_queues()
        .max_results(2)
        .send()
        .await
        .unwrap();
    let token = page.next_token().unwrap().to_owned();
    let rest = lab.client.list_queues().next_token(token).send().await;
    assert_eq!(rest.unwrap().queue_urls(), [lab.url(PLAIN)]);

    let request = lab.client.get_queue_attributes().queue_url(lab.url(EVENTS));
    let answer = request
        .attribute_names(QueueAttributeName::QueueArn)
        .attribute_names(QueueAttributeName::RedrivePolicy)
        .send()
        .await
        .unwrap();
    let attributes = answer.attributes.unwrap();
    assert_eq!(attributes.len(), 2);
    assert_eq!(
        attributes[&QueueAttributeName::RedrivePolicy],
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:events-dead","maxReceiveCount":2}"#
    );

    lab.send(EVENTS, "a").await;
    let purge = lab.client.purge_queue().queue_url(lab.url(EVENTS));
    purge.send().await.unwrap();
    assert_eq!(lab.depth(EVENTS).await, [0, 0, 0]);
    lab.end().await;
}
