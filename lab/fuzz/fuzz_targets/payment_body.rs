//! The body of a payment: whatever is accepted is read back from the journal unchanged (promise P3).
#![no_main]

use libfuzzer_sys::fuzz_target;
use payment_core::{Draft, LogRecord, PaymentId, RequestId, Timestamp};
use uuid::Uuid;

fuzz_target!(|body: &[u8]| {
    let Ok(draft) = Draft::parse(body) else {
        return;
    };
    let Ok(payment) = draft.identify(None, || PaymentId::made_from(Uuid::nil())) else {
        return;
    };
    let request_id = RequestId::parse("r").expect("a letter is a request id");
    let record = LogRecord::new(payment, Timestamp::EPOCH, request_id, None);
    let line = record.to_line();
    assert_eq!(line.matches('\n').count(), 1, "a record is one line");
    let read = LogRecord::parse(line.trim_end().as_bytes(), Timestamp::EPOCH);
    assert_eq!(read.as_ref(), Ok(&record));
});
