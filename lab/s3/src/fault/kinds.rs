//! The faults by name.

use server_kit::fault::Kind;

pub const LATENCY: &str = "latency";
pub const HANG: &str = "hang";
pub const SLOW_DOWN: &str = "slow-down";
pub const ACCESS_DENIED: &str = "access-denied";
pub const EXPIRED_TOKEN: &str = "expired-token";
pub const CONFLICT: &str = "conflict";
pub const BAD_DIGEST: &str = "bad-digest";
pub const ERROR_AFTER_STORE: &str = "error-after-store";
pub const ANSWER_LOST: &str = "answer-lost";
pub const CORRUPT_GET: &str = "corrupt-get";
pub const TRUNCATED_GET: &str = "truncated-get";
pub const NOT_YET_READABLE: &str = "not-yet-readable";
pub const FORGET: &str = "forget";
pub const EVENT_DUPLICATE: &str = "event-duplicate";
pub const EVENT_DELAY: &str = "event-delay";
pub const EVENT_REORDER: &str = "event-reorder";
pub const EVENT_DROP: &str = "event-drop";

pub const KINDS: [Kind; 17] = [
    timed(LATENCY, "a request waits before it is handled", 500),
    timed(
        HANG,
        "a request is held without being handled, then its connection is closed",
        60_000,
    ),
    kind(SLOW_DOWN, "503 SlowDown before a request is handled"),
    kind(
        ACCESS_DENIED,
        "403 AccessDenied before a request is handled",
    ),
    kind(
        EXPIRED_TOKEN,
        "400 ExpiredToken before a request is handled",
    ),
    kind(
        CONFLICT,
        "409 ConditionalRequestConflict before a PUT with If-None-Match is handled",
    ),
    kind(
        BAD_DIGEST,
        "400 BadDigest before a PUT is handled: its body was damaged on the way",
    ),
    kind(ERROR_AFTER_STORE, "500 InternalError after a PUT is done"),
    kind(
        ANSWER_LOST,
        "the connection is closed without an answer after a PUT is done",
    ),
    kind(
        CORRUPT_GET,
        "one byte of an object that is read is flipped; its checksum stays true",
    ),
    kind(
        TRUNCATED_GET,
        "the connection is closed half way through an object that is read",
    ),
    kind(
        NOT_YET_READABLE,
        "404 NoSuchKey for an object that is there, to GET and HEAD",
    ),
    kind(
        FORGET,
        "a PUT is answered 200, but nothing is stored and no event goes out. Amazon's S3 has no such fault: it proves \
         that a check finds a payment that was lost",
    ),
    kind(EVENT_DUPLICATE, "an event is delivered 2 to 5 times"),
    timed(EVENT_DELAY, "an event waits before it is delivered", 5000),
    timed(
        EVENT_REORDER,
        "an event waits a random time, this at most, before it is delivered",
        1000,
    ),
    kind(EVENT_DROP, "an event is lost: it is never delivered"),
];

const fn kind(name: &'static str, about: &'static str) -> Kind {
    Kind {
        name,
        about,
        ms: None,
    }
}

const fn timed(name: &'static str, about: &'static str, ms: u64) -> Kind {
    Kind {
        name,
        about,
        ms: Some(ms),
    }
}
