//! Keys of the log in S3.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::client::PaymentKey;
use crate::hex;
use crate::timestamp::Timestamp;

/// S3's limit, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 1024;

/// Longest key that the tables hold, in characters: with four bytes each they fit an index, which takes 3,072 bytes.
pub const RECORDED_CHARS_MAX: usize = 700;

/// Stands between the beginning of a shortened key and its SHA-256.
const SHORTENED: char = '~';

/// Hexadecimal digits of a SHA-256.
const HASH_CHARS: usize = 64;

/// Begins the folder of a client's payments, one object each.
const CLIENT_FOLDER: &str = "client=";

/// Characters of a written UUID of version 7 that hold its time.
const UUID_TIME_CHARS: usize = "01a20516-cf67-".len();

/// Characters of a written UUID.
const UUID_CHARS: usize = 36;

/// The key of one object: 1 to 1024 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(Box<str>);

impl ObjectKey {
    pub fn parse(key: &str) -> Option<Self> {
        (1..=KEY_BYTES_MAX)
            .contains(&key.len())
            .then(|| Self(key.into()))
    }

    /// Reads the key from an event of S3, where keys are encoded as in HTML forms: `+` is a space, and the rest is
    /// percent-encoded.
    pub fn parse_form_encoded(encoded: &str) -> Option<Self> {
        let spaced = encoded.replace('+', " ");
        Self::parse(&percent_decode_str(&spaced).decode_utf8().ok()?)
    }

    /// A batch of payments: `transactions/dt=2026-11-22/hh=07/<uuid>-<node>.ndjson`.
    /// The UUID is of version 7 and starts with `at`, so keys sort by age. The rest of it comes from `unique`.
    pub fn batch(prefix: &str, at: Timestamp, unique: Uuid, node: &str) -> Self {
        let mut rest = [0; 10];
        rest.copy_from_slice(&unique.as_bytes()[6..]);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis(at), &rest).into_uuid();
        Self(format!("{}{uuid}-{node}.ndjson", Self::hour_prefix(prefix, at)).into())
    }

    /// The time, to the millisecond, in a batch's UUID; `None` unless it is of version 7.
    pub fn time_of(unique: Uuid) -> Option<Timestamp> {
        let is_v7 = unique.get_version() == Some(uuid::Version::SortRand);
        let (seconds, nanos) = unique.get_timestamp().filter(|_| is_v7)?.to_unix();
        let millis = seconds
            .checked_mul(1000)?
            .checked_add(u64::from(nanos / 1_000_000))?;
        Timestamp::from_unix_millis(millis.try_into().ok()?)
    }

    /// What sorts before the batches written at `at` or later, and after all earlier ones.
    pub fn batches_from(prefix: &str, at: Timestamp) -> String {
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis(at), &[0; 10]).into_uuid();
        let uuid = uuid.to_string();
        // The digits of the time: the version follows.
        format!(
            "{}{}",
            Self::hour_prefix(prefix, at),
            &uuid[..UUID_TIME_CHARS]
        )
    }

    /// What the keys of all batches start with, whatever their hour.
    pub fn batches_prefix(prefix: &str) -> String {
        format!("{prefix}dt=")
    }

    /// One payment: `transactions/<id>.json`, or `transactions/client=<name>/<id>.json`. The key claims the id for the
    /// client: no id holds `=` or `/`.
    pub fn single(prefix: &str, payment: &PaymentKey) -> Self {
        let PaymentKey { id, client } = payment;
        let folder = if client.is_empty() {
            String::new()
        } else {
            format!("{CLIENT_FOLDER}{client}/")
        };
        Self(format!("{prefix}{folder}{id}.json").into())
    }

    /// Returns the payment that a key of the form of [`ObjectKey::single`] claims. Older systems name objects `<id>.json`
    /// as well, so without a client the claim binds nobody.
    pub fn claimed(&self, prefix: &str) -> Option<PaymentKey> {
        let key = self.0.strip_prefix(prefix)?;
        match key.split_once('/') {
            Some((folder, name)) => claimed_by_client(folder, name),
            None => PaymentKey::from_stored(key.strip_suffix(".json")?, ""),
        }
    }

    /// What the keys of the batches written in the hour of `at` start with.
    pub fn hour_prefix(prefix: &str, at: Timestamp) -> String {
        let t = at.to_utc();
        format!(
            "{prefix}dt={:04}-{:02}-{:02}/hh={:02}/",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour()
        )
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the key has the form of [`ObjectKey::batch`], whatever its prefix: this system wrote the object.
    pub fn is_own_batch(&self) -> bool {
        self.own_batch().is_some()
    }

    /// The UUID and the node's name in the key of a batch of this system.
    pub fn own_batch(&self) -> Option<(Uuid, &str)> {
        let mut parts = self.0.rsplit('/');
        let (name, hour, date) = (parts.next()?, parts.next()?, parts.next()?);
        let (unique, node) = name.strip_suffix(".ndjson")?.split_at_checked(UUID_CHARS)?;
        let unique = Uuid::try_parse(unique).ok()?;
        let is_own = is_numbered(hour, "hh=00") && is_numbered(date, "dt=0000-00-00");
        Some((unique, node.strip_prefix('-')?)).filter(|_| is_own)
    }

    /// As [`ObjectKey::own_batch`], of a key that is in each part as [`ObjectKey::batch`] makes it under this prefix.
    pub fn batch_under(&self, prefix: &str) -> Option<(Uuid, &str)> {
        let (unique, node) = self.own_batch()?;
        let at = Self::time_of(unique)?;
        (Self::batch(prefix, at, unique, node) == *self).then_some((unique, node))
    }

    /// When a batch of this system was sealed, to the millisecond: the time in its UUID.
    pub fn batch_time(&self) -> Option<Timestamp> {
        Self::time_of(self.own_batch()?.0)
    }

    /// The hour whose folder a batch of this system lies in, by the two folders above it.
    pub fn batch_hour(&self) -> Option<Timestamp> {
        let mut folders = self.0.rsplit('/').skip(1);
        let (hour, date) = (folders.next()?, folders.next()?);
        let (hour, date) = (hour.strip_prefix("hh=")?, date.strip_prefix("dt=")?);
        let hour = Timestamp::parse(&format!("{date}T{hour}:00:00Z"))?;
        self.is_own_batch().then_some(hour)
    }

    /// Whether the key has a form that this system alone gives, whatever its prefix: a batch, or a single payment of a
    /// client.
    pub fn is_own(&self) -> bool {
        let mut parts = self.0.rsplit('/');
        let (name, folder) = (parts.next(), parts.next());
        let is_single = |(folder, name)| claimed_by_client(folder, name).is_some();
        self.is_own_batch() || folder.zip(name).is_some_and(is_single)
    }

    /// Whether the name says that the object holds one record a line. Of other objects the content says it.
    pub fn is_batch(&self) -> bool {
        let name = self.0.strip_suffix(".gz").unwrap_or(&self.0);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        matches!(ending, Some("ndjson" | "jsonl"))
    }

    /// Whether the tables hold the whole key.
    pub fn is_recordable(&self) -> bool {
        self.0.chars().count() <= RECORDED_CHARS_MAX
    }

    /// The key as the tables hold it: a longer one is shortened to its beginning and its SHA-256.
    pub fn recorded(&self) -> Cow<'_, Self> {
        if self.is_recordable() {
            return Cow::Borrowed(self);
        }
        let beginning = RECORDED_CHARS_MAX - HASH_CHARS - 1;
        let mut short: String = self.0.chars().take(beginning).collect();
        short.push(SHORTENED);
        hex::push(&Sha256::digest(self.0.as_bytes()), &mut short);
        Cow::Owned(Self(short.into()))
    }

    /// Whether this is what [`ObjectKey::recorded`] makes of a longer key: no object has it.
    pub fn is_shortened(&self) -> bool {
        let hash = self.0.rsplit_once(SHORTENED).map(|(_, hash)| hash);
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        hash.is_some_and(|hash| hash.len() == HASH_CHARS && hash.bytes().all(is_hex))
            && self.0.chars().count() == RECORDED_CHARS_MAX
    }

    /// Consoles mark a folder by an empty object whose key ends so.
    pub fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }
}

fn claimed_by_client(folder: &str, name: &str) -> Option<PaymentKey> {
    let client = folder.strip_prefix(CLIENT_FOLDER)?;
    PaymentKey::from_stored(name.strip_suffix(".json")?, client)
        .filter(|claimed| !claimed.client.is_empty())
}

/// Whether the text has a digit for each 0 of the form, and else its characters.
fn is_numbered(text: &str, form: &str) -> bool {
    let is_alike = |(byte, form)| match form {
        b'0' => u8::is_ascii_digit(&byte),
        _ => byte == form,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(is_alike)
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.to_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_name_the_hour() {
        let at = Timestamp::parse("2026-11-22T07:59:59.999999Z").unwrap();
        let key = ObjectKey::batch("transactions/", at, Uuid::from_u128(7), "a1b2");
        assert_eq!(
            key.as_str(),
            "transactions/dt=2026-11-22/hh=07/01a20244-e7ff-7000-8000-000000000007-a1b2.ndjson"
        );
        assert!(key.is_batch() && key.is_own());
        let (unique, node) = key.batch_under("transactions/").unwrap();
        assert_eq!(key.batch_under("other/"), None);
        assert_eq!(node, "a1b2");
        let millis = Timestamp::parse("2026-11-22T07:59:59.999Z");
        assert_eq!(key.batch_time(), millis);
        assert_eq!(
            ObjectKey::batch("transactions/", millis.unwrap(), unique, node),
            key
        );
        let single = |client| {
            let key = PaymentKey::from_stored("tx_1747539198353", client).unwrap();
            ObjectKey::single("transactions/", &key).to_string()
        };
        assert_eq!(single(""), "transactions/tx_1747539198353.json");
        assert_eq!(
            single("shop"),
            "transactions/client=shop/tx_1747539198353.json"
        );
    }

    #[test]
    fn p10_a_single_key_claims_its_payment() {
        let payment = |client| PaymentKey::from_stored("tx:1", client).unwrap();
        for (client, is_own) in [("", false), ("shop", true)] {
            let key = ObjectKey::single("t/", &payment(client));
            assert_eq!(key.claimed("t/"), Some(payment(client)));
            assert_eq!((key.claimed("u/"), key.is_own()), (None, is_own));
        }
        for other in [
            "t/client=/a.json",
            "t/client=Shop/a.json",
            "t/client=shop/a b.json",
            "t/client=shop/a.ndjson",
            "t/client=shop/deeper/a.json",
            "t/shop/a.json",
            "t/.json",
        ] {
            let key = ObjectKey::parse(other).unwrap();
            assert_eq!((key.claimed("t/"), key.is_own()), (None, false), "{other}");
        }
    }

    #[test]
    fn a_key_of_another_form_is_not_from_this_system() {
        const NAME: &str = "019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4-a";
        let is_own = |key: &str| ObjectKey::parse(key).unwrap().is_own_batch();
        assert!(is_own(&format!("any/dt=2026-11-22/hh=07/{NAME}.ndjson")));
        for foreign in [
            "transactions/export.ndjson".to_owned(),
            "transactions/dt=2026-11-22/hh=07/export.ndjson".to_owned(),
            format!("transactions/{NAME}.ndjson"),
            format!("transactions/dt=2026-11-22/hh=07/{NAME}.json"),
            format!("transactions/dt=2026-11-22/hh=7/{NAME}.ndjson"),
            format!("transactions/dt=yesterday/hh=07/{NAME}.ndjson"),
            format!("dt=2026-11-22/hh=07/{}.ndjson", &NAME[..36]),
        ] {
            assert!(!is_own(&foreign), "{foreign}");
        }
    }

    #[test]
    fn a_key_that_is_too_long_is_shortened_and_stays_different() {
        for fits in ["a".repeat(RECORDED_CHARS_MAX), "ä".repeat(512)] {
            let key = ObjectKey::parse(&fits).unwrap();
            assert_eq!(key.recorded().as_str(), fits);
            assert!(!key.is_shortened());
        }
        let long = |last: &str| {
            let key = "ä".repeat(300) + &"a".repeat(423) + last;
            ObjectKey::parse(&key).unwrap()
        };
        let [one, other] = ["1", "2"].map(|last| long(last).recorded().into_owned());
        assert_ne!(one, other);
        for short in [one, other] {
            assert!(short.is_shortened() && short.is_recordable());
            assert_eq!(ObjectKey::parse(short.as_str()), Some(short));
        }
    }

    #[test]
    fn batches_sort_by_their_time() {
        let at = |text| Timestamp::parse(text).unwrap();
        let key =
            |time| ObjectKey::batch("t/", at(time), Uuid::from_u128(u128::MAX), "n").to_string();
        let from = ObjectKey::batches_from("t/", at("2026-11-22T07:30:00.500Z"));
        assert!(key("2026-11-22T07:30:00.499Z") < from);
        assert!(from < key("2026-11-22T07:30:00.500Z"));
        assert!(from < key("2026-11-22T08:00:00Z"));
        assert!(key("2026-11-21T23:59:59Z") < from);
        assert!(from.starts_with(&ObjectKey::batches_prefix("t/")));
    }

    #[test]
    fn keys_of_events_are_form_decoded() {
        for (encoded, key) in [
            ("transactions/a.json", "transactions/a.json"),
            ("transactions/a+b%2Bc.json", "transactions/a b+c.json"),
            ("transactions/100%25.json", "transactions/100%.json"),
            ("transactions/tx%3A1.json", "transactions/tx:1.json"),
            ("transactions/Zo%C3%AB.json", "transactions/Zoë.json"),
            ("transactions/100%", "transactions/100%"),
        ] {
            assert_eq!(
                ObjectKey::parse_form_encoded(encoded),
                ObjectKey::parse(key),
                "{encoded}"
            );
        }
        assert_eq!(ObjectKey::parse_form_encoded("%ff"), None);
        assert_eq!(ObjectKey::parse_form_encoded(""), None);
        assert_eq!(ObjectKey::parse(&"a".repeat(1025)), None);
    }

    proptest! {
        #[test]
        fn encoded_keys_round_trip(key in "\\PC{1,80}") {
            let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string().replace("%20", "+");
            prop_assert_eq!(ObjectKey::parse_form_encoded(&encoded), ObjectKey::parse(&key));
        }
    }
}
