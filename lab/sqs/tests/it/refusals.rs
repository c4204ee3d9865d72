//! Refused requests, with the error codes that the SDKs know.

use aws_sdk_sqs::types::MessageAttributeValue;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};

use crate::support::{ACCESS_KEY_ID, EVENTS, Lab, PLAIN, client, code};

#[tokio::test]
async fn mistakes_have_their_codes() {
    let lab = Lab::start().await;
    let sqs = &lab.client;
    let (plain, absent) = (lab.url(PLAIN), lab.url("absent"));
    let send = |url: &str, body: &str| {
        let request = sqs.send_message().queue_url(url);
        request.message_body(body).send()
    };
    let absent = send(&absent, "x").await;
    assert_eq!(code(absent), "AWS.SimpleQueueService.NonExistentQueue");
    let found = sqs.get_queue_url().queue_name("absent").send().await;
    assert!(
        found
            .unwrap_err()
            .into_service_error()
            .is_queue_does_not_exist()
    );
    assert_eq!(code(send(&plain, "").await), "MissingParameter");
    assert_eq!(code(send(&plain, "\u{b}").await), "InvalidMessageContents");
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(code(send(&plain, &large).await), "InvalidParameterValue");
    assert_eq!(code(send(&plain, &large[1..]).await), "");

    let receive = |most, wait| {
        let request = sqs.receive_message().queue_url(&plain);
        request
            .max_number_of_messages(most)
            .wait_time_seconds(wait)
            .send()
    };
    assert_eq!(code(receive(11, 0).await), "InvalidParameterValue");
    assert_eq!(code(receive(1, 21).await), "InvalidParameterValue");
    let delete = |handle: &str| {
        let request = sqs.delete_message().queue_url(&plain);
        request.receipt_handle(handle).send()
    };
    assert_eq!(code(delete("no handle").await), "ReceiptHandleIsInvalid");
    lab.send(EVENTS, "x").await;
    let others = lab.receive(EVENTS, 600).await.pop().unwrap();
    let others = others.receipt_handle().unwrap();
    assert_eq!(code(delete(others).await), "ReceiptHandleIsInvalid");
    let attributes = sqs.get_queue_attributes().queue_url(&plain);
    let attributes = attributes.attribute_names("Colour".into()).send().await;
    assert_eq!(code(attributes), "InvalidAttributeName");
    let empty = MessageAttributeValue::builder().data_type("String").build();
    let request = sqs.send_message().queue_url(&plain).message_body("x");
    let sent = request.message_attributes("a", empty.unwrap()).send().await;
    assert_eq!(code(sent), "InvalidParameterValue");
    lab.end().await;
}

#[tokio::test]
async fn unknown_callers_are_refused() {
    let lab = Lab::start().await;
    let stranger = client(&lab.endpoint(), "AKIASTRANGER0000");
    assert_eq!(
        code(stranger.list_queues().send().await),
        "InvalidClientTokenId"
    );
    let bare = reqwest::Client::new().post(lab.endpoint());
    let answer = bare.header("x-amz-target", "AmazonSQS.ListQueues");
    assert_eq!(answer.body("{}").send().await.unwrap().status(), 403);
    lab.end().await;
}

async fn raw(lab: &Lab, operation: &str, body: &str) -> (u16, Value) {
    let credential = format!("{ACCESS_KEY_ID}/20261122/us-west-2/sqs/aws4_request");
    let header =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
    // Some clients call the queue's own URL.
    let request = reqwest::Client::new().post(lab.url(PLAIN)).headers(headers);
    let request = request.header("x-amz-target", format!("AmazonSQS.{operation}"));
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_malformed_request_is_refused_without_its_content() {
    let lab = Lab::start().await;
    let (status, answer) = raw(&lab, "SendMessage", r#"{"QueueUrl": ["hush"]}"#).await;
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazonaws.sqs#SerializationException");
    assert!(!answer.to_string().contains("hush"), "{answer}");
    let (status, answer) = raw(&lab, "CreateQueue", "{}").await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["__type"],
        "com.amazonaws.sqs#UnknownOperationException"
    );
    assert_eq!(
        raw(&lab, "ListQueues", r#"{"QueueNamePrefix":"none"}"#).await,
        (200, json!({}))
    );
    lab.end().await;
}
