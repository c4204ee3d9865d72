//! The payment domain: payment, amount, log record, object key, hash, event envelopes. No I/O, no clock.
