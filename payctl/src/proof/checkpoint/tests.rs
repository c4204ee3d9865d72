use std::fs;

use tempfile::TempDir;

use super::*;

fn place() -> JournalLocation {
    JournalLocation {
        bucket: "log".to_owned(),
        prefix: "transactions/".to_owned(),
    }
}

fn hour(hour: u8, objects: u64) -> Hour {
    Hour {
        begin: format!("2026-11-22T{hour:02}:00:00.000000Z"),
        objects,
        objects_sha256: "a".repeat(64),
        rows: 7,
        rows_sha256: "b".repeat(64),
    }
}

fn next(before: &Checkpoints, to: u8) -> Checkpoint {
    Checkpoint {
        v: 1,
        number: before.next_number(),
        bucket: "log".to_owned(),
        prefix: "transactions/".to_owned(),
        from: before.list.last().map(|last| last.to.clone()),
        to: format!("2026-11-22T{to:02}:00:00.000000Z"),
        previous: before.last_hash(),
        chained_since: None,
        hours: vec![hour(to - 1, 3)],
        open: Vec::new(),
        key: String::new(),
    }
}

/// A file of three checkpoints, up to 5, 6 and 7 o'clock.
fn three(folder: &TempDir) -> (std::path::PathBuf, SigningKey) {
    let path = folder.path().join("checkpoints.ndjson");
    let key = SigningKey::create(&folder.path().join("key.pem")).unwrap();
    for to in 5..8 {
        let before = Checkpoints::read(&path, &place(), key.public()).unwrap();
        before.append(&path, next(&before, to), &key).unwrap();
    }
    (path, key)
}

#[test]
fn p11_checkpoints_follow_each_other() {
    let folder = TempDir::new().unwrap();
    let (path, key) = three(&folder);
    let read = Checkpoints::read(&path, &place(), None).unwrap();
    assert_eq!((read.list.len(), read.key()), (3, key.public()));
    assert_eq!(read.from(), None);
    assert_eq!(read.to(), Timestamp::parse("2026-11-22T07:00:00Z"));
}

#[test]
fn p11_a_forged_or_cut_file_of_checkpoints_is_refused() {
    let folder = TempDir::new().unwrap();
    let (path, _) = three(&folder);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let other = SigningKey::create(&folder.path().join("other.pem")).unwrap();
    let forged = text.replace("\"objects\":3", "\"objects\":2");
    for (what, text, is_refused) in [
        ("whole", text.clone(), false),
        ("changed", forged, true),
        ("cut within a line", text[..text.len() - 9].to_owned(), true),
        ("without its newline", text.trim_end().to_owned(), true),
        ("the first removed", lines[1..].concat(), true),
        ("one removed", [lines[0], lines[2]].concat(), true),
        ("exchanged", [lines[0], lines[2], lines[1]].concat(), true),
        ("repeated", [lines[0], lines[0]].concat(), true),
        ("not one", "{}\n".to_owned(), true),
    ] {
        fs::write(&path, &text).unwrap();
        let read = Checkpoints::read(&path, &place(), None);
        assert_eq!(read.is_err(), is_refused, "{what}: {read:?}");
        assert!(
            text != lines.concat() || Checkpoints::read(&path, &place(), other.public()).is_err()
        );
    }
    let elsewhere = JournalLocation {
        bucket: "other".to_owned(),
        ..place()
    };
    fs::write(&path, &text).unwrap();
    assert!(Checkpoints::read(&path, &elsewhere, None).is_err());
}

#[test]
fn p11_a_rewritten_hour_is_named() {
    let folder = TempDir::new().unwrap();
    let (path, _) = three(&folder);
    let read = Checkpoints::read(&path, &place(), None).unwrap();
    let now = [hour(4, 3), hour(5, 3), hour(6, 3)];
    assert_eq!(read.rewritten(&now), []);
    let rewritten = |now: &[Hour]| {
        let rewritten = read.rewritten(now).into_iter();
        let named = rewritten.map(|rewritten| (rewritten.checkpoint, rewritten.why));
        named.collect::<Vec<_>>()
    };
    let fewer = [hour(4, 3), hour(5, 2), hour(6, 3)];
    assert_eq!(rewritten(&fewer), [(2, "3 objects then, 2 now".to_owned())]);
    let gone = [hour(4, 3), hour(5, 3)];
    assert_eq!(rewritten(&gone), [(3, "its 3 objects are gone".to_owned())]);
    let more = [hour(1, 2), hour(4, 3), hour(5, 3), hour(6, 3), hour(9, 1)];
    assert_eq!(
        rewritten(&more),
        [(1, "2 objects where there were none".to_owned())]
    );
    let mut other = now.clone();
    other[0].rows_sha256 = "c".repeat(64);
    assert_eq!(rewritten(&other), [(1, "other rows than then".to_owned())]);
}

/// Two runs at once read the same file.
#[test]
fn p11_a_checkpoint_that_does_not_follow_the_last_one_is_not_appended() {
    let folder = TempDir::new().unwrap();
    let (path, key) = three(&folder);
    let read = || Checkpoints::read(&path, &place(), None).unwrap();
    let (one, other) = (read(), read());
    one.append(&path, next(&one, 8), &key).unwrap();
    other.append(&path, next(&other, 8), &key).unwrap_err();
    assert_eq!(read().list.len(), 4);
}
