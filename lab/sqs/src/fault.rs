//! The faults that this server can inject.

use server_kit::fault::FaultKind;

/// Delays a request before it is handled.
pub const SLOW: &str = "slow";
/// Answers 500 without doing anything.
pub const ERROR: &str = "error";
/// Does everything, then answers 500, so that the caller cannot know the outcome.
pub const ANSWER_LOST: &str = "answer-lost";
/// Delivers a message and leaves it visible.
pub const DUPLICATE: &str = "duplicate";

pub const KINDS: [FaultKind; 4] = [
    FaultKind {
        name: SLOW,
        about: "delays a request before it is handled",
        ms: Some(1000),
    },
    FaultKind {
        name: ERROR,
        about: "answers 500 without doing anything",
        ms: None,
    },
    FaultKind {
        name: ANSWER_LOST,
        about: "handles the request, then answers 500: a sent message is in the queue nevertheless",
        ms: None,
    },
    FaultKind {
        name: DUPLICATE,
        about: "leaves received messages visible, so that they are delivered again; each receive counts",
        ms: None,
    },
];
