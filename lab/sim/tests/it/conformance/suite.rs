//! What any backend does.

use payment_core::record::{self, Line};
use payment_core::{
    ClientName, ETag, LogRecord, ObjectKey, ObjectVersion, PaymentKey, RequestId, Timestamp,
};
use payment_store::backend::{
    Backend, DriverError, Entry, ErrorKind, Reject, Session, VersionColumns,
};
use payment_store::{Fingerprint, Outcome, Store};
use sim::database::REFUSED;

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(&format!("transactions/{name}.ndjson")).unwrap()
}

pub fn object(name: &str) -> ObjectVersion {
    ObjectVersion {
        key: key(name),
        etag: ETag::parse("\"1\""),
        stored_at: Timestamp::parse("2026-11-22T07:30:00Z").unwrap(),
    }
}

pub fn lines(bodies: &[String]) -> Vec<Line> {
    let stored_at = Timestamp::parse("2026-11-22T07:30:00.123456Z").unwrap();
    record::read_object(&key("any"), bodies.join("\n").as_bytes(), stored_at).collect()
}

fn records(bodies: &[&str]) -> Vec<LogRecord> {
    let bodies: Vec<_> = bodies.iter().map(|body| (*body).to_owned()).collect();
    let records = lines(&bodies).into_iter().map(|(_, read)| read.unwrap());
    records.collect()
}

/// Inserts payments with these ids, from lines 1, 2, ….
async fn insert<S: Session>(session: &mut S, ids: &[&str]) -> Result<u64, DriverError> {
    let bodies: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
    insert_bodies(session, &bodies).await
}

async fn insert_bodies<S: Session>(session: &mut S, bodies: &[&str]) -> Result<u64, DriverError> {
    let records = records(bodies);
    let entries: Vec<_> = (1..)
        .zip(&records)
        .map(|(line, record)| Entry::new(line, record))
        .collect();
    let entries: Vec<_> = entries.iter().collect();
    let object = object("o");
    session
        .insert_payments(VersionColumns::new(&object).unwrap(), &entries)
        .await
}

async fn begun<B: Backend>(backend: &B) -> B::Session {
    let mut session = backend.session().await.unwrap();
    session.begin().await.unwrap();
    session
}

/// Returns those of the ids that the session sees.
async fn seen<S: Session>(session: &mut S, ids: &[&str]) -> Vec<String> {
    let ids: Vec<_> = ids
        .iter()
        .map(|id| PaymentKey::from_stored(id, "").unwrap())
        .collect();
    let ids: Vec<_> = ids.iter().collect();
    let origins = session.origins(&ids).await.unwrap();
    let mut seen: Vec<_> = origins.into_iter().map(|o| o.payment.to_string()).collect();
    seen.sort();
    seen
}

fn kind(result: Result<u64, DriverError>) -> ErrorKind {
    result.unwrap_err().kind()
}

pub async fn p10_a_client_takes_no_other_clients_id(backend: impl Backend) {
    let store = Store::over(backend);
    let clients = ["", "shop", "other"];
    let of_client = |client: &str, body: &str| {
        let record = records(&[body]).remove(0);
        let client = ClientName::from_stored(client).unwrap();
        let request_id = RequestId::parse("req-1").unwrap();
        let payment = record.payment.of_client(client);
        LogRecord::new(payment, record.received_at, request_id, None)
    };
    for (name, rows, duplicates) in [("x", 3, 0), ("y", 0, 3)] {
        let lines = clients.map(|client| of_client(client, r#"{"id":"a"}"#));
        let lines: Vec<_> = (1..).zip(lines.map(Ok)).collect();
        let outcome = store.ingest_object(&object(name), &lines).await.unwrap();
        assert_eq!((outcome.rows, outcome.duplicates), (rows, duplicates));
    }
    let other = [(1, Ok(of_client("shop", r#"{"id":"a","x":1}"#)))];
    let outcome = store.ingest_object(&object("z"), &other).await.unwrap();
    assert_eq!(outcome.conflicts, 1);
    let keys = clients.map(|client| PaymentKey::from_stored("a", client).unwrap());
    for (key, conflicts) in keys.iter().zip([0, 1, 0]) {
        let found = store.find(key).await.unwrap().unwrap();
        assert_eq!(found.conflicts, conflicts, "{key}");
    }
    let asked = [keys[1].clone()];
    assert_eq!(store.holders(&asked).await.unwrap().len(), 1);
    let stranger = PaymentKey::from_stored("a", "stranger").unwrap();
    assert_eq!(store.find(&stranger).await.unwrap(), None);
}

pub async fn an_insert_is_all_or_nothing_and_the_transaction_goes_on(backend: impl Backend) {
    let mut first = begun(&backend).await;
    assert_eq!(insert(&mut first, &["b"]).await.unwrap(), 1);
    first.commit().await.unwrap();
    first.end();

    let mut second = begun(&backend).await;
    assert_eq!(insert(&mut second, &["a"]).await.unwrap(), 1);
    assert_eq!(
        kind(insert(&mut second, &["c", "b", "d"]).await),
        ErrorKind::KeyTaken
    );
    assert_eq!(kind(insert(&mut second, &["a"]).await), ErrorKind::KeyTaken);
    assert_eq!(seen(&mut second, &["a", "b", "c", "d"]).await, ["a", "b"]);
    assert_eq!(insert(&mut second, &["c", "d"]).await.unwrap(), 2);
    second.commit().await.unwrap();
    second.end();

    let mut third = backend.session().await.unwrap();
    let all = seen(&mut third, &["a", "b", "c", "d", "e"]).await;
    assert_eq!(all, ["a", "b", "c", "d"]);
}

pub async fn what_is_not_committed_is_seen_by_its_own_transaction_alone(backend: impl Backend) {
    let mut writer = begun(&backend).await;
    let mut reader = begun(&backend).await;
    insert(&mut writer, &["a"]).await.unwrap();
    assert_eq!(seen(&mut writer, &["a"]).await, ["a"]);
    assert_eq!(seen(&mut reader, &["a"]).await, [""; 0]);
    writer.commit().await.unwrap();
    assert_eq!(seen(&mut reader, &["a"]).await, ["a"]);
}

pub async fn what_is_rolled_back_or_cut_off_leaves_nothing(backend: impl Backend) {
    let mut session = begun(&backend).await;
    insert(&mut session, &["a"]).await.unwrap();
    session.rollback().await.unwrap();
    assert_eq!(seen(&mut session, &["a"]).await, [""; 0]);
    session.begin().await.unwrap();
    insert(&mut session, &["a"]).await.unwrap();
    drop(session);

    let mut session = begun(&backend).await;
    insert(&mut session, &["a"]).await.unwrap();
    // Ending the session is not a commit either.
    session.end();
    let mut session = begun(&backend).await;
    assert_eq!(insert(&mut session, &["a"]).await.unwrap(), 1);
}

pub async fn who_wants_a_key_waits_for_its_holder(backend: impl Backend) {
    for commits in [false, true] {
        let mut holder = begun(&backend).await;
        let mut other = begun(&backend).await;
        insert(&mut holder, &["a"]).await.unwrap();
        let end = async {
            if commits {
                holder.commit().await.unwrap();
            } else {
                holder.rollback().await.unwrap();
            }
        };
        let (stored, ()) = tokio::join!(insert(&mut other, &["a"]), end);
        if commits {
            assert_eq!(kind(stored), ErrorKind::KeyTaken);
        } else {
            assert_eq!(stored.unwrap(), 1);
        }
        other.rollback().await.unwrap();
    }
}

pub async fn of_two_that_wait_for_each_other_one_is_let_go(backend: impl Backend) {
    let mut one = begun(&backend).await;
    let mut other = begun(&backend).await;
    insert(&mut one, &["a"]).await.unwrap();
    insert(&mut other, &["b"]).await.unwrap();
    let (first, second) = tokio::join!(insert(&mut one, &["b"]), insert(&mut other, &["a"]));
    let (stored, refused) = match (first, second) {
        (Ok(stored), Err(error)) | (Err(error), Ok(stored)) => (stored, error),
        both => panic!("{both:?}"),
    };
    assert_eq!((stored, refused.kind()), (1, ErrorKind::Transient));
}

pub async fn data_that_is_refused_is_told_apart(backend: impl Backend) {
    let mut session = begun(&backend).await;
    let refused = format!(r#"{{"id":"b","transaction":"{REFUSED}"}}"#);
    let bodies = [r#"{"id":"a"}"#, refused.as_str()];
    assert_eq!(
        kind(insert_bodies(&mut session, &bodies).await),
        ErrorKind::DataRefused
    );
    assert_eq!(insert(&mut session, &["a", "b"]).await.unwrap(), 2);
}

pub async fn a_line_is_recorded_once(backend: impl Backend) {
    let (here, elsewhere) = (object("x"), object("y"));
    let (here, elsewhere) = (
        VersionColumns::new(&here).unwrap(),
        VersionColumns::new(&elsewhere).unwrap(),
    );
    let records = records(&[r#"{"id":"a"}"#, r#"{"id":"a"}"#]);
    let (one, two) = (Entry::new(1, &records[0]), Entry::new(2, &records[1]));
    let reject = |line| Reject {
        line,
        reason: "not_json",
        detail: String::new(),
        is_own: true,
        payment: Some(one.key().clone()),
    };
    let mut session = begun(&backend).await;
    let session = &mut session;
    assert_eq!(session.insert_conflicts(here, &[&one]).await.unwrap(), 1);
    assert_eq!(
        kind(session.insert_conflicts(here, &[&two, &one]).await),
        ErrorKind::KeyTaken
    );
    let both = session.insert_conflicts(elsewhere, &[&two, &one]).await;
    assert_eq!(both.unwrap(), 2);
    assert_eq!(
        session.insert_rejects(here, &[&reject(1)]).await.unwrap(),
        1
    );
    assert_eq!(
        kind(
            session
                .insert_rejects(here, &[&reject(3), &reject(1)])
                .await
        ),
        ErrorKind::KeyTaken
    );
    session.commit().await.unwrap();
    for (at, conflicts) in [(here, vec![1]), (elsewhere, vec![1, 2])] {
        let found = session.conflict_lines(at, &[1, 2, 3]).await.unwrap();
        assert_eq!(found, conflicts.into_iter().collect());
    }
    let rejects = session.reject_lines(here, &[1, 2, 3]).await.unwrap();
    assert_eq!(rejects, [1].into());
}

pub async fn an_object_is_taken_once(backend: impl Backend) {
    let object = object("x");
    let column = VersionColumns::new(&object).unwrap();
    let outcome = Outcome {
        lines: 3,
        rows: 2,
        rejects: 1,
        failed: 1,
        ..Outcome::default()
    };
    let mut session = begun(&backend).await;
    assert_eq!(session.ingested(column).await.unwrap(), None);
    let taken = session
        .insert_ingested(column, &outcome, Fingerprint::default())
        .await;
    assert_eq!(taken.unwrap(), 1);
    session.commit().await.unwrap();
    session.begin().await.unwrap();
    let again = session
        .insert_ingested(column, &outcome, Fingerprint::default())
        .await;
    assert_eq!(kind(again), ErrorKind::KeyTaken);
    session.rollback().await.unwrap();
    let found = Outcome {
        already: true,
        failed: 0,
        ..outcome
    };
    assert_eq!(session.ingested(column).await.unwrap(), Some(found));
}

pub async fn look_ups_say_what_was_ingested(backend: impl Backend) {
    let store = Store::over(backend);
    let bodies = [
        r#"{"id":"a","amount":"12.50","currency":"EUR","transaction":"rent","payer_name":"Zoë","n":1.10}"#,
        r#"{"id":"a","amount":"13"}"#,
        r#"{"id":"b","status":"failed"}"#,
        "?",
    ];
    let outcome = store
        .ingest_object(&object("x"), &lines(&bodies.map(str::to_owned)))
        .await
        .unwrap();
    let counts = [outcome.rows, outcome.conflicts, outcome.rejects];
    assert_eq!((counts, outcome.failed), ([2, 1, 1], 1));

    let [a, b, c] = ["a", "b", "c"].map(|id| PaymentKey::from_stored(id, "").unwrap());
    let found = store.find(&a).await.unwrap().unwrap();
    assert_eq!(found.amount.unwrap().to_string(), "12.50");
    assert_eq!(found.payer_name.as_deref(), Some("Zoë"));
    assert_eq!(
        (found.extra.as_str(), found.conflicts),
        (r#"{"n":1.10}"#, 1)
    );
    assert_eq!((found.object_key, found.object_line), (key("x"), 1));
    assert!(store.find(&c).await.unwrap().is_none());

    let holders = store.holders(&[a.clone(), b.clone(), c]).await.unwrap();
    assert_eq!(holders.len(), 2);
    assert_eq!(holders[&a].content_hash, found.content_hash);
    assert_eq!(holders[&a].received_at, found.received_at);

    let missing = store
        .not_ingested(vec![object("w"), object("x")])
        .await
        .unwrap();
    assert_eq!(missing, [object("w")]);
}

pub async fn the_last_position_of_a_pass_counts(backend: impl Backend) {
    let store = Store::over(backend);
    assert!(store.sweep_positions("b/t/").await.unwrap().is_empty());
    for (pass, position) in [("open", "t/1"), ("rest", ""), ("open", "t/2 ")] {
        store.record_sweep("b/t/", pass, position).await.unwrap();
    }
    let positions = store.sweep_positions("b/t/").await.unwrap();
    let expected = [("open", "t/2 "), ("rest", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(positions, expected.into());
}

pub async fn an_object_is_deferred_once(backend: impl Backend) {
    let store = Store::over(backend);
    for name in ["x", "y", "x"] {
        store.defer("b/t/", &object(name)).await.unwrap();
    }
    let all = store.deferred("b/t/", 0, 9).await.unwrap();
    let versions: Vec<_> = all
        .iter()
        .map(|deferred| deferred.version.clone())
        .collect();
    assert_eq!(versions, [object("x"), object("y")]);
    assert_eq!(
        store.deferred("b/t/", all[0].id, 9).await.unwrap(),
        all[1..]
    );
    assert_eq!(store.deferred("b/t/", 0, 1).await.unwrap(), all[..1]);
}
