//! The kinds of fault, by name.

use server_kit::fault::FaultKind;

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

pub const KINDS: [FaultKind; 17] = [
    timed(LATENCY, "delays a request before it is handled", 500),
    timed(
        HANG,
        "holds a request without handling it, then closes its connection",
        60_000,
    ),
    kind(SLOW_DOWN, "503 SlowDown before a request is handled"),
    kind(
        ACCESS_DENIED,
        "answers 403 AccessDenied before a request is handled",
    ),
    kind(
        EXPIRED_TOKEN,
        "answers 400 ExpiredToken before a request is handled",
    ),
    kind(
        CONFLICT,
        "answers 409 ConditionalRequestConflict before a PUT with If-None-Match is handled",
    ),
    kind(
        BAD_DIGEST,
        "answers 400 BadDigest before a PUT is handled, as if its body was damaged in transit",
    ),
    kind(ERROR_AFTER_STORE, "500 InternalError after a PUT is done"),
    kind(
        ANSWER_LOST,
        "closes the connection without an answer after a PUT is done",
    ),
    kind(
        CORRUPT_GET,
        "flips one byte of an object in a GET; its checksum stays correct",
    ),
    kind(TRUNCATED_GET, "closes the connection halfway through a GET"),
    kind(
        NOT_YET_READABLE,
        "answers 404 NoSuchKey to GET and HEAD of an object that exists",
    ),
    kind(
        FORGET,
        "answers a PUT with 200, but stores nothing and sends no event. Amazon's S3 has no such fault: it proves \
         that a check finds a payment that was lost",
    ),
    kind(EVENT_DUPLICATE, "an event is delivered 2 to 5 times"),
    timed(EVENT_DELAY, "an event waits before it is delivered", 5000),
    timed(
        EVENT_REORDER,
        "delays an event by a random time, up to this time",
        1000,
    ),
    kind(EVENT_DROP, "an event is lost: it is never delivered"),
];

const fn kind(name: &'static str, about: &'static str) -> FaultKind {
    FaultKind {
        name,
        about,
        ms: None,
    }
}

const fn timed(name: &'static str, about: &'static str, ms: u64) -> FaultKind {
    FaultKind {
        name,
        about,
        ms: Some(ms),
    }
}
