//! The lab's Lambda: runs a function's binary over the Runtime API, with retries and dead letters.
