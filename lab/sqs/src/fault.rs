//! The faults that this server can inject.

use server_kit::fault::Kind;

/// Before anything is done: waits.
pub const SLOW: &str = "slow";
/// Before anything is done: a 500.
pub const ERROR: &str = "error";
/// After everything is done: a 500, so that the caller does not know.
pub const ANSWER_LOST: &str = "answer-lost";
/// A message is received and stays visible.
pub const DUPLICATE: &str = "duplicate";

pub const KINDS: [Kind; 4] = [
    Kind {
        name: SLOW,
        about: "a request waits before it is handled",
        ms: Some(1000),
    },
    Kind {
        name: ERROR,
        about: "a request is answered 500 and nothing is done",
        ms: None,
    },
    Kind {
        name: ANSWER_LOST,
        about: "a request is done and answered 500: a message that was sent is in the queue all the same",
        ms: None,
    },
    Kind {
        name: DUPLICATE,
        about: "received messages stay visible, so that they are received once more; the receives count",
        ms: None,
    },
];
