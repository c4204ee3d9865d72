use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn s3_record(name: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-west-2", "eventName": name,
        "eventTime": "2026-11-22T07:30:00.123Z",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "b", "arn": "arn:aws:s3:::b"},
               "object": {"key": key, "size": 1, "eTag": "e", "sequencer": "0A"}}
    })
}

fn s3_event(keys: &[&str]) -> Value {
    json!({"Records": keys.iter().map(|key| s3_record("ObjectCreated:Put", key)).collect::<Vec<_>>()})
}

fn event_bridge(kind: &str, key: &str) -> Value {
    json!({"version": "0", "detail-type": kind, "source": "aws.s3",
           "detail": {"bucket": {"name": "b"}, "object": {"key": key}}})
}

fn sqs(bodies: &[String]) -> Value {
    let record = |(i, body): (usize, &String)| json!({"messageId": format!("m{i}"), "eventSource": "aws:sqs", "body": body});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// The keys of the objects, or the first error.
fn keys(objects: &[Named]) -> Result<Vec<&str>, EventError> {
    let objects = objects.iter().map(Result::as_ref);
    objects
        .map(|named| Ok(named.map_err(Clone::clone)?.key.as_str()))
        .collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table reads better without references"
)]
fn check(event: &Value, expected: Result<&[&str], EventError>) {
    match Event::parse(&event.to_string()) {
        Ok(Event::Objects(objects)) => {
            assert_eq!(keys(&objects).as_deref(), expected.as_deref(), "{event}");
        }
        Ok(other) => panic!("{event} gave {other:?}"),
        Err(error) => assert_eq!(Err(error), expected, "{event}"),
    }
}

#[test]
fn p2_every_record_of_every_shape_is_seen() {
    let two = s3_event(&["t/a+b.json", "t/c%2Bd.json"]);
    check(&two, Ok(&["t/a b.json", "t/c+d.json"]));
    check(
        &event_bridge("Object Created", "t/a+b.json"),
        Ok(&["t/a+b.json"]),
    );
    let sns = json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": two.to_string()}}]});
    check(&sns, Ok(&["t/a b.json", "t/c+d.json"]));
}

#[test]
fn p2_every_way_to_create_an_object_is_seen() {
    for name in [
        "ObjectCreated:Put",
        "ObjectCreated:Post",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectCreated:Put",
    ] {
        check(&json!({"Records": [s3_record(name, "t/a")]}), Ok(&["t/a"]));
    }
}

#[test]
fn events_without_work_are_no_error() {
    check(
        &json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        Ok(&[]),
    );
    check(&json!({"Records": []}), Ok(&[]));
    for name in [
        "ObjectRemoved:Delete",
        "ObjectRestore:Post",
        "ObjectRestore:Completed",
        "s3:ObjectTagging:Put",
        "ReducedRedundancyLostObject",
    ] {
        check(&json!({"Records": [s3_record(name, "t/a")]}), Ok(&[]));
    }
    for kind in OTHER_DETAIL_TYPES {
        check(&event_bridge(kind, "t/a"), Ok(&[]));
    }
}

/// Nobody is to think that it was done: what it tells of may be the last trace of an object.
#[test]
fn p2_a_dead_letter_without_a_new_object_is_an_error() {
    let nothing_new = |kind: &str| EventError::NothingNew {
        kind: kind.to_owned(),
        key: "t/a".to_owned(),
    };
    let lost = |name| json!({"Records": [s3_record(name, "t/a")]});
    for (event, expected) in [
        (
            lost("ObjectRemoved:Delete"),
            nothing_new("ObjectRemoved:Delete"),
        ),
        (
            json!({"requestPayload": lost("ReducedRedundancyLostObject")}),
            nothing_new("ReducedRedundancyLostObject"),
        ),
        (
            event_bridge("Object Deleted", "t/a"),
            nothing_new("Object Deleted"),
        ),
        (
            sqs(&[lost("LifecycleExpiration:Delete").to_string()]),
            nothing_new("LifecycleExpiration:Delete"),
        ),
        (json!({"Records": []}), EventError::Empty),
        (
            sqs(&[json!({"Records": []}).to_string()]),
            EventError::Empty,
        ),
    ] {
        let named = match Event::parse_dead_letter(&event.to_string()) {
            Ok(Event::Objects(named)) => named,
            Ok(Event::Messages(messages)) => messages.into_iter().flat_map(|m| m.objects).collect(),
            other => panic!("{event} gave {other:?}"),
        };
        assert_eq!(named, [Err(expected)], "{event}");
    }
}

#[test]
fn p2_an_event_names_the_version_that_it_tells_of() {
    let mut bridged = event_bridge("Object Created", "t/a");
    bridged["detail"]["object"]["etag"] = json!("e");
    let mut unnamed = s3_event(&["t/a"]);
    unnamed["Records"][0]["s3"]["object"]["eTag"] = json!(null);
    let mut odd = s3_event(&["t/a"]);
    odd["Records"][0]["s3"]["object"]["eTag"] = json!(7);
    for (event, expected) in [
        (s3_event(&["t/a"]), Some("e")),
        (bridged, Some("e")),
        (event_bridge("Object Created", "t/a"), None),
        (unnamed, None),
        (odd, Some("7")),
    ] {
        let Ok(Event::Objects(named)) = Event::parse(&event.to_string()) else {
            panic!("{event}")
        };
        let etag = named[0].as_ref().unwrap().etag.as_ref();
        assert_eq!(etag.map(ETag::as_str), expected, "{event}");
    }
}

#[test]
fn p2_a_record_that_is_not_understood_hides_no_other() {
    let mut event = s3_event(&["%ff", "good", "old", "odd", "cut", "last"]);
    event["Records"][2]["eventVersion"] = json!("3.0");
    event["Records"][3]["eventName"] = json!("ObjectCreate:Put");
    event["Records"][4]["s3"]["object"] = json!({});
    let expected = [
        Err(EventError::BadKey),
        Ok("good"),
        Err(EventError::UnknownVersion("3.0".to_owned())),
        Err(EventError::UnknownName("ObjectCreate:Put".to_owned())),
        Err(EventError::UnknownKind),
        Ok("last"),
    ];
    let named = |objects: &[Named]| {
        let key = |named: &Named| named.clone().map(|object| object.key.to_string());
        let expected: Vec<Result<String, _>> = expected
            .iter()
            .cloned()
            .map(|named| named.map(str::to_owned))
            .collect();
        assert_eq!(objects.iter().map(key).collect::<Vec<_>>(), expected);
    };
    let Ok(Event::Objects(objects)) = Event::parse(&event.to_string()) else {
        panic!("no objects")
    };
    named(&objects);
    let Ok(Event::Messages(messages)) = Event::parse(&sqs(&[event.to_string()]).to_string()) else {
        panic!("no messages")
    };
    named(&messages[0].objects);
}

#[test]
fn p2_an_unknown_type_or_source_of_event_bridge_is_an_error() {
    for kind in ["Object Foo", "Object created", "Object Creation", ""] {
        let unknown = EventError::UnknownName(kind.to_owned());
        check(&event_bridge(kind, "t/a"), Err(unknown));
    }
    for source in [json!("custom.app"), json!(null)] {
        for kind in ["Object Created", "Object Deleted"] {
            let mut event = event_bridge(kind, "t/a");
            event["source"] = source.clone();
            check(&event, Err(EventError::UnknownKind));
        }
    }
    let schedule = json!({"detail-type": "Scheduled Event", "source": "aws.s3", "detail": {}});
    let unknown = EventError::UnknownName("Scheduled Event".to_owned());
    check(&schedule, Err(unknown));
}

#[test]
fn what_is_not_understood_is_an_error() {
    let mut version = s3_event(&["a"]);
    version["Records"][0]["eventVersion"] = json!("3.0");
    check(&version, Err(EventError::UnknownVersion("3.0".to_owned())));
    check(&s3_event(&["%ff"]), Err(EventError::BadKey));
    for name in ["", "ObjectCreate:Put", "s3:Object", "objectcreated:put"] {
        let unknown = name.strip_prefix("s3:").unwrap_or(name).to_owned();
        check(
            &json!({"Records": [s3_record(name, "t/a")]}),
            Err(EventError::UnknownName(unknown)),
        );
    }
    let batch = json!({"invocationSchemaVersion": "1.0", "tasks": [{"taskId": "t", "s3Key": "a"}]});
    let failed =
        json!({"version": "1.0", "requestContext": {}, "requestPayload": s3_event(&["a"])});
    for event in [json!({}), batch, failed] {
        check(&event, Err(EventError::UnknownKind));
    }
    check(&json!([s3_event(&["a"])]), Err(EventError::UnknownKind));
    check(
        &json!({"Records": [{"eventSource": "aws:kinesis"}]}),
        Err(EventError::UnknownKind),
    );
    check(
        &json!({"Records": [{"eventSource": "aws:s3", "eventVersion": "2.1"}]}),
        Err(EventError::UnknownKind),
    );
    assert_eq!(Event::parse("nonsense"), Err(EventError::NotJson));
}

/// By one of the two, what the other one names would be left out.
#[test]
fn p2_an_event_with_a_member_twice_names_nothing() {
    let bridge = event_bridge("Object Created", "a");
    for (event, member) in [
        (&s3_event(&["a"]), r#""s3":"#),
        (&s3_event(&["a"]), r#""key":"#),
        (&s3_event(&["a"]), r#""eventName":"#),
        (&s3_event(&["a"]), r#""Records":"#),
        (&bridge, r#""detail":"#),
        (&bridge, r#""key":"#),
    ] {
        let text = event.to_string();
        let start = text.find(member).unwrap() + member.len();
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let value = values.next().unwrap().unwrap();
        let twice = text.replacen(member, &format!("{member}{value},{member}"), 1);
        let named = match Event::parse_dead_letter(&twice) {
            Ok(Event::Objects(objects)) => keys(&objects).map(|_| ()),
            Ok(other) => panic!("{twice} gave {other:?}"),
            Err(error) => Err(error),
        };
        assert_eq!(named, Err(EventError::UnknownKind), "{twice}");
    }
}

#[test]
fn p2_a_schedule_that_names_an_object_is_of_no_kind() {
    for detail in [
        r#"{"object":{"key":"t/a"}}"#,
        r#"{"object":{},"object":{"key":"t/a"}}"#,
    ] {
        let event = format!(
            r#"{{"detail-type":"Scheduled Event","source":"aws.events","detail":{detail}}}"#
        );
        let named = Event::parse(&event);
        let Ok(Event::Objects(objects)) = &named else {
            panic!("{event} gave {named:?}");
        };
        assert_eq!(keys(objects), Err(EventError::UnknownKind), "{event}");
    }
}

#[test]
fn each_message_of_a_queue_stands_alone() {
    let sns_body = json!({"Type": "Notification", "Message": s3_event(&["n"]).to_string()});
    let bodies = [
        s3_event(&["a", "b"]).to_string(),
        "nonsense".to_owned(),
        sns_body.to_string(),
        event_bridge("Object Created", "e").to_string(),
        json!({"Event": "s3:TestEvent"}).to_string(),
    ];
    let Ok(Event::Messages(messages)) = Event::parse(&sqs(&bodies).to_string()) else {
        panic!("no messages")
    };
    let seen: Vec<_> = messages
        .iter()
        .map(|message| (message.id.as_str(), keys(&message.objects)))
        .collect();
    assert_eq!(
        seen,
        [
            ("m0", Ok(vec!["a", "b"])),
            ("m1", Err(EventError::NotJson)),
            ("m2", Ok(vec!["n"])),
            ("m3", Ok(vec!["e"])),
            ("m4", Ok(vec![])),
        ]
    );
}

#[test]
fn a_schedule_is_the_sweep() {
    for source in [json!("aws.events"), json!("aws.scheduler"), json!(null)] {
        let event = json!({"detail-type": "Scheduled Event", "source": source, "detail": {}});
        assert_eq!(Event::parse(&event.to_string()), Ok(Event::Sweep));
    }
}

proptest! {
    #[test]
    fn any_text_gives_an_event_or_an_error(text in "\\PC{0,200}") {
        let _ = Event::parse(&text);
    }
}
