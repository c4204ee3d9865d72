//! The file of clients: what is read of it, and how its mistakes are told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use clients::load::{load, stamp};
use clients::{Limits, Registry, file};

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

fn good() -> String {
    format!(
        r#"# A comment.
[clients.page]
rate = 5

[clients.shop]
rate = 50
burst = 100
in_flight = 20
[[clients.shop.keys]]
id = "k_1"
sha256 = "{HASH}"
created = 2026-11-27T08:00:00Z
expires = 2027-11-27T09:00:00+01:00
[[clients.shop.keys]]
id = "signs"
ed25519 = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
created = 2026-11-27T08:00:00Z
"#
    )
}

#[test]
fn p10_clients_keys_and_limits_are_read() {
    let clients = file::parse(&good()).unwrap();
    let [page, shop] = &clients[..] else {
        panic!("{clients:?}")
    };
    assert_eq!((page.name.as_str(), page.keys.len()), ("page", 0));
    let number = |number: u32| number.try_into().ok();
    let limits = Limits {
        rate: number(50),
        burst: number(100),
        in_flight: number(20),
    };
    assert_eq!(shop.limits, limits);
    let ids: Vec<_> = shop.keys.iter().map(|key| (&*key.id, key.kind())).collect();
    assert_eq!(ids, [("k_1", "sha256"), ("signs", "ed25519")]);
    let expires = shop.keys[0].expires.unwrap().to_string();
    assert_eq!(expires, "2027-11-27T08:00:00.000000Z");
    assert!(file::parse("").unwrap().is_empty());
}

#[test]
fn p10_every_mistake_is_told_with_its_line_and_without_what_stands_there() {
    const SECRET: &str = "hunter2hunter2";
    let hash = HASH.to_lowercase();
    let text = format!(
        r#"colour = "{SECRET}"
[clients.Shop]
rate = 0
[clients.a]
burst = 5
in_flight = "{SECRET}"
{SECRET} = 1
keys = "{SECRET}"
[clients.b]
[[clients.b.keys]]
id = "{SECRET} "
sha256 = "{SECRET}"
created = "2026-11-27"
[[clients.b.keys]]
id = "k_1"
created = 2026-11-27
hmac_sha256 = "c2hvcnQ="
[[clients.b.keys]]
id = "k_2"
sha256 = "{HASH}"
created = 2026-11-27T08:00:00Z
expires = 2026-11-27T07:00:00Z
[[clients.b.keys]]
id = "k_2"
sha256 = "{hash}"
created = 2026-11-27T08:00:00Z
[[clients.b.keys]]
id = "k_3"
[clients.page]
[[clients.page.keys]]
id = "k_4"
ed25519 = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
created = 2026-11-27T08:00:00Z
"#
    );
    let mistakes = file::parse(&text).unwrap_err();
    let lines: Vec<_> = mistakes.lines().collect();
    for (line, part) in [
        (1, "not known here; known are the tables [clients.NAME]"),
        (2, "a client name must be 1 to 32"),
        (3, "at least 1"),
        (4, "burst stands without rate"),
        (6, "at least 1"),
        (7, "known are rate, burst, in_flight and keys"),
        (8, "keys must be tables"),
        (11, "an id must be"),
        (12, "sha256 must be the SHA-256"),
        (13, "this must be a time with its zone"),
        (16, "this must be a time with its zone"),
        (17, "at least 32 bytes"),
        (18, "expires before it is created"),
        (24, "the same id"),
        (25, "the same sha256"),
        (27, "exactly one of"),
        (29, "has no keys"),
    ] {
        let start = format!("line {line}: ");
        let is_told = lines
            .iter()
            .any(|told| told.starts_with(&start) && told.contains(part));
        assert!(is_told, "{start}{part}: {lines:#?}");
    }
    assert_eq!(lines.len(), 17, "{lines:#?}");
    assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
}

#[test]
fn p10_broken_toml_and_a_name_that_stands_twice_are_mistakes() {
    for (text, line) in [
        ("[clients.a]\n[clients.b]\n[clients.a]\n", 3),
        ("[clients.a]\nrate = 1\nrate = 2\n", 3),
        ("\n[clients.a\n", 2),
        ("[clients.a]\nrate = \"hunter2", 2),
    ] {
        let mistakes = file::parse(text).unwrap_err().to_string();
        assert!(
            mistakes.contains(&format!("line {line}: ")),
            "{text}: {mistakes}"
        );
        assert!(!mistakes.contains("hunter2"), "{mistakes}");
    }
}

#[test]
fn p10_a_file_that_others_may_change_or_whose_secret_they_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.toml");
    let secret = "[clients.a]\n[[clients.a.keys]]\nid = \"k\"\ncreated = 2026-11-27T08:00:00Z\n\
                  hmac_sha256 = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n";
    for (text, mode, refused) in [
        (good().as_str(), 0o644, None),
        (&good(), 0o664, Some("chmod go-w")),
        (&good(), 0o602, Some("chmod go-w")),
        (secret, 0o640, None),
        (secret, 0o644, Some("chmod o-rwx")),
    ] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let told = load(&path).err().map(|error| error.lines().join("\n"));
        match refused {
            None => assert_eq!(told, None),
            Some(part) => assert!(told.unwrap().contains(part), "{mode:o}"),
        }
    }
}

#[test]
fn a_file_that_is_replaced_has_another_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.toml");
    fs::write(&path, good()).unwrap();
    let (registry, first) = load(&path).unwrap();
    assert_eq!(registry.clients().len(), 2);
    assert_eq!(stamp(&path).unwrap(), first);
    let other = folder.path().join("other");
    fs::write(&other, good()).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_ne!(stamp(&path).unwrap(), first);
    fs::remove_file(&path).unwrap();
    assert!(load(&path).unwrap_err().lines()[0].contains("can't be read"));
    assert!(Registry::default().page().is_none());
}
