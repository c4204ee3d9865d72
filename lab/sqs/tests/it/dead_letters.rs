//! Messages that nobody deletes, and their redrive.

use crate::support::{DEAD, EVENTS, Lab, PLAIN, attribute, bodies, code};

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-west-2:000000000000:{queue}")
}

/// Sends a message and receives it until it is a dead letter; returns its id.
async fn exhaust(lab: &Lab, body: &str) -> String {
    let id = lab.send(EVENTS, body).await;
    for receives in ["1", "2"] {
        let message = lab.receive(EVENTS, 0).await.pop().unwrap();
        assert_eq!(attribute(&message, "ApproximateReceiveCount"), receives);
    }
    assert_eq!(lab.receive(EVENTS, 0).await, []);
    id
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_as_it_is() {
    let lab = Lab::start().await;
    let id = exhaust(&lab, "poison").await;
    assert_eq!(lab.depth(EVENTS).await, [0, 0, 0]);
    let dead = lab.receive(DEAD, 600).await.pop().unwrap();
    assert_eq!(dead.message_id(), Some(id.as_str()));
    assert_eq!(dead.body(), Some("poison"));
    assert_eq!(attribute(&dead, "DeadLetterQueueSourceArn"), arn(EVENTS));
    lab.delete(DEAD, &dead).await;
    assert_eq!(lab.depth(DEAD).await, [0, 0, 0]);
    lab.end().await;
}

#[tokio::test]
async fn a_long_poll_of_the_dead_letter_queue_ends_with_a_dead_letter() {
    let lab = Lab::start().await;
    let request = lab.client.receive_message().queue_url(lab.url(DEAD));
    let poll = request.wait_time_seconds(20).send();
    let (received, _) = tokio::join!(poll, exhaust(&lab, "poison"));
    assert_eq!(bodies(received.unwrap().messages()), ["poison"]);
    lab.end().await;
}

#[tokio::test]
async fn dead_letters_are_moved_back_to_where_they_came_from_as_new_messages() {
    let lab = Lab::start().await;
    let id = exhaust(&lab, "cured").await;
    let lab = lab.restart().await;
    let start = lab.client.start_message_move_task().source_arn(arn(DEAD));
    assert!(start.send().await.unwrap().task_handle().is_some());
    assert_eq!(lab.depth(DEAD).await, [0, 0, 0]);
    let message = lab.receive(EVENTS, 0).await.pop().unwrap();
    assert_eq!(message.body(), Some("cured"));
    assert_ne!(message.message_id(), Some(id.as_str()));
    assert_eq!(attribute(&message, "ApproximateReceiveCount"), "1");
    lab.end().await;
}

#[tokio::test]
async fn dead_letters_are_moved_to_another_queue_where_one_is_named() {
    let lab = Lab::start().await;
    exhaust(&lab, "a").await;
    let start = |source, destination| {
        let start = lab.client.start_message_move_task().source_arn(arn(source));
        start.destination_arn(arn(destination)).send()
    };
    start(DEAD, PLAIN).await.unwrap();
    assert_eq!(bodies(&lab.receive(PLAIN, 600).await), ["a"]);
    let wrong = start(PLAIN, EVENTS).await.unwrap_err();
    assert!(wrong.into_service_error().is_unsupported_operation());
    assert_eq!(
        code(start(DEAD, "absent").await),
        "AWS.SimpleQueueService.NonExistentQueue"
    );
    lab.end().await;
}
