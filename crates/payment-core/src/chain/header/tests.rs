use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LINE: &str = concat!(
    r#"{"v":3,"run":"019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4","node":"00b1c2d3","seq":17,"#,
    r#""clock":"2026-11-22T07:30:00.123456Z","#,
    r#""confirmed":[{"seq":15,"key":"01a20244-e7ff-7000-8000-000000000007","#,
    r#""sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],"#,
    r#""unconfirmed":[{"seq":14,"key":"01a20244-e7fa-7000-8000-000000000006","#,
    r#""sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]}"#,
    "\n"
);

/// Until the year 9999.
const MILLIS_END: u64 = 253_402_300_800_000;

fn uuid_v7(bits: u128) -> Uuid {
    let [_, _, _, _, _, _, rest @ ..] = bits.to_be_bytes();
    let millis = u64::try_from(bits >> 80).unwrap() % MILLIS_END;
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

fn header() -> impl Strategy<Value = Header> {
    let links = vec((any::<u128>(), any::<[u8; 32]>(), any::<bool>()), 0..6);
    let ids = (
        any::<u128>(),
        any::<u32>(),
        0..4_000_000_000_000_i64,
        any::<bool>(),
    );
    (ids, links, any::<u64>(), any::<u64>()).prop_map(
        |((run, node, millis, end), links, from, room)| {
            let from = from.min(u64::MAX / 2);
            let numbered = (from..).zip(links);
            let (confirmed, unconfirmed): (Vec<_>, Vec<_>) =
                numbered.partition(|(_, (.., stored))| *stored);
            let link = |(seq, (key, hash, _)): (u64, (u128, [u8; 32], bool))| Link {
                seq,
                key: uuid_v7(key),
                sha256: ObjectHash::from_bytes(&hash).unwrap(),
            };
            Header {
                run: RunId::new(uuid_v7(run)).unwrap(),
                node: Node::new(node),
                seq: from + 6 + room / 4,
                clock: Timestamp::from_unix_millis(millis).unwrap(),
                confirmed: confirmed.into_iter().map(link).collect(),
                unconfirmed: unconfirmed.into_iter().map(link).collect(),
                end,
            }
        },
    )
}

fn sealed(confirmed: &[u64], unconfirmed: &[u64], seq: u64) -> Header {
    let link = |seq: &u64| Link {
        seq: *seq,
        key: uuid_v7(7),
        sha256: ObjectHash::of(b""),
    };
    Header {
        seq,
        confirmed: confirmed.iter().map(link).collect(),
        unconfirmed: unconfirmed.iter().map(link).collect(),
        ..Header::parse(LINE.as_bytes()).unwrap()
    }
}

proptest! {
    #[test]
    fn p11_a_header_is_read_back_the_same(header in header()) {
        let line = header.to_line();
        let names = header.confirmed.len() + header.unconfirmed.len();
        prop_assert!(line.len() <= Header::bytes_max(names));
        prop_assert_eq!(Header::of(header.node, line.as_bytes()), Some(header.clone()));
        for line in [line.as_str(), line.trim_end()] {
            prop_assert_eq!(Header::parse(line.as_bytes()), Ok(header.clone()));
        }
    }

    #[test]
    fn p11_a_header_with_any_byte_changed_is_refused_or_another(
        header in header(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut line = header.to_line().into_bytes();
        let at = at.index(line.len() - 1);
        prop_assume!(line[at] != byte);
        line[at] = byte;
        if let Ok(other) = Header::parse(&line) {
            prop_assert_ne!(&other, &header);
            prop_assert_eq!(other.to_line().into_bytes(), line);
        }
    }

    #[test]
    fn p11_numbers_ascend_and_stay_below_the_headers_own(
        confirmed in vec(0..8_u64, 0..4),
        unconfirmed in vec(0..8_u64, 0..4),
        seq in 0..9_u64,
    ) {
        let header = sealed(&confirmed, &unconfirmed, seq);
        let is_sorted = |numbers: &[u64]| numbers.is_sorted_by(|a, b| a < b);
        let is_right = is_sorted(&confirmed)
            && is_sorted(&unconfirmed)
            && confirmed.iter().chain(&unconfirmed).all(|number| *number < seq)
            && !confirmed.iter().any(|number| unconfirmed.contains(number));
        prop_assert_eq!(Header::parse(header.to_line().as_bytes()).is_ok(), is_right);
    }
}

#[test]
fn p11_the_form_of_a_header_is_fixed() {
    let header = Header::parse(LINE.as_bytes()).unwrap();
    assert_eq!(header.to_line(), LINE);
    assert_eq!((header.seq, header.end), (17, false));
    assert_eq!(
        (header.confirmed[0].seq, header.unconfirmed[0].seq),
        (15, 14)
    );
    assert_eq!(header.confirmed[0].sha256, ObjectHash::of(b""));
    assert_eq!(header.unconfirmed[0].sha256, ObjectHash::of(b"abc"));
    let key = header.confirmed[0].object_key("transactions/", header.node);
    assert_eq!(
        key.unwrap().as_str(),
        "transactions/dt=2026-11-22/hh=07/01a20244-e7ff-7000-8000-000000000007-00b1c2d3.ndjson"
    );
    let end = Header {
        end: true,
        ..header
    };
    assert!(end.to_line().ends_with("\"}],\"end\":true}\n"));
}

#[test]
fn p11_a_header_in_other_words_is_refused() {
    for (from, to) in [
        ("{\"v\":3,", "{\"v\": 3,"),
        ("{\"v\":3,", "{\"v\":4,"),
        ("\"seq\":17", "\"seq\":017"),
        ("\"seq\":17", "\"seq\":17.0"),
        ("\"seq\":17", "\"seq\":-1"),
        ("\"seq\":17", "\"seq\":17,\"seq\":17"),
        ("00b1c2d3", "00B1C2D3"),
        ("00b1c2d3", "b1c2d3"),
        ("00b1c2d3", "+0b1c2d3"),
        ("00b1c2d3", "\\u00300b1c2d3"),
        ("019ab0f2-77aa-7c11", "019ab0f2-77aa-4c11"),
        ("019ab0f2-77aa-7c11", "019AB0F2-77aa-7c11"),
        ("01a20244-e7ff-7000", "01a20244-e7ff-1000"),
        ("00.123456Z", "00.123456+00:00"),
        ("00.123456Z", "00.1234567Z"),
        ("00.123456Z", "00Z"),
        ("e3b0c4", "E3b0c4"),
        ("b855", "b85"),
        ("\"seq\":14", "\"seq\":15"),
        ("\"seq\":14", "\"seq\":17"),
        ("\"unconfirmed\":[{", "\"unconfirmed\":[ {"),
        ("\"unconfirmed\":[{", "\"unconfirmed\":[14,{"),
        ("\"}]}", "\"}],\"end\":false}"),
        ("\"}]}", "\"}],\"more\":1}"),
        ("\"}]}", "\"},]}"),
        ("\"unconfirmed\":[{\"seq\":14,", "\"unconfirmed\":[{"),
        ("],\"unconfirmed\"", "],\"unknown\""),
        ("}\n", "}\r\n"),
        ("}\n", "}\n\n"),
        ("}\n", "} {}\n"),
    ] {
        assert!(LINE.contains(from), "{from}");
        let line = LINE.replacen(from, to, 1);
        assert!(Header::parse(line.as_bytes()).is_err(), "{line}");
    }
    assert!(Header::parse(b"").is_err());
    assert!(Header::parse(b"\xff").is_err());
}
