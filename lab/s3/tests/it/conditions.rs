//! Conditional writes and reads.

use aws_sdk_s3::primitives::{ByteStream, DateTime};

use crate::support::{Lab, Requests, answer, get, put};

const FAILED: u16 = 412;

#[tokio::test]
async fn of_racing_first_writers_exactly_one_wins() {
    let lab = Lab::start().await;
    let client = lab.operator();
    for round in 0..10 {
        let key = format!("transactions/{round}");
        let writers = (0..16).map(|writer| {
            let request = client.put_key(&key).if_none_match("*");
            let request = request.body(ByteStream::from(format!("writer {writer}").into_bytes()));
            tokio::spawn(async move { answer(request.send().await) })
        });
        let mut winners = Vec::new();
        for (writer, task) in writers.collect::<Vec<_>>().into_iter().enumerate() {
            match task.await.unwrap() {
                (200, _) => winners.push(format!("writer {writer}")),
                refused => assert_eq!(refused, (FAILED, "PreconditionFailed".to_owned())),
            }
        }
        let stored = String::from_utf8(get(&client, &key).await).unwrap();
        assert_eq!(winners, [stored]);
    }
    lab.end().await;
}

#[tokio::test]
async fn a_first_write_never_replaces() {
    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "a", "first").await;
    let second = client.put_key("a").if_none_match("*");
    let second = second.body(ByteStream::from_static(b"second")).send().await;
    assert_eq!(answer(second).0, FAILED);
    assert_eq!(get(&client, "a").await, b"first");
    client.delete_key("a").send().await.unwrap();
    let third = client.put_key("a").if_none_match("*");
    third
        .body(ByteStream::from_static(b"third"))
        .send()
        .await
        .unwrap();
    assert_eq!(get(&client, "a").await, b"third");
    lab.end().await;
}

#[tokio::test]
async fn if_match_replaces_only_what_the_writer_knows() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let write = |etag: &str, body: &'static [u8]| {
        let request = client.put_key("a").if_match(etag);
        request.body(ByteStream::from_static(body)).send()
    };
    assert_eq!(
        answer(write("\"0\"", b"one").await),
        (404, "NoSuchKey".to_owned())
    );
    put(&client, "a", "one").await;
    let etag = client.head_key("a").send().await.unwrap().e_tag.unwrap();
    assert_eq!(answer(write("\"0\"", b"two").await).0, FAILED);
    write(&etag, b"two").await.unwrap();
    assert_eq!(answer(write(&etag, b"three").await).0, FAILED);
    assert_eq!(get(&client, "a").await, b"two");
    lab.end().await;
}

#[tokio::test]
async fn reads_may_depend_on_etag_and_date() {
    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "a", "hello").await;
    let head = client.head_key("a").send().await.unwrap();
    let (etag, modified) = (head.e_tag.unwrap(), head.last_modified.unwrap());
    let earlier = DateTime::from_secs(modified.secs() - 10);
    let read = || client.get_key("a");
    let cases = [
        (read().if_match(&etag), 200),
        (read().if_match("\"0\""), FAILED),
        (read().if_none_match(&etag), 304),
        (read().if_none_match("\"0\""), 200),
        (read().if_modified_since(modified), 304),
        (read().if_modified_since(earlier), 200),
        (read().if_unmodified_since(modified), 200),
        (read().if_unmodified_since(earlier), FAILED),
        (
            read().if_none_match("\"0\"").if_modified_since(modified),
            200,
        ),
    ];
    for (at, (request, expected)) in cases.into_iter().enumerate() {
        assert_eq!(answer(request.send().await).0, expected, "case {at}");
    }
    lab.end().await;
}
