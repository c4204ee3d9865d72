//! An object of the journal: every line is a record or a reject, and a record that is written again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use payment_core::record::read_object;
use payment_core::{LogRecord, ObjectKey, Timestamp};

fuzz_target!(|object: &[u8]| {
    for key in [
        "t/dt=2026-11-22/hh=07/01a20244-e7ff-7000-8000-000000000007-00b1c2d3.ndjson",
        "t/a.json",
    ] {
        let key = ObjectKey::parse(key).expect("a key");
        let mut last = 0;
        for (number, line) in read_object(&key, object, Timestamp::EPOCH) {
            assert!(number > last, "lines are numbered in order");
            last = number;
            // A record of an older system has no request id, and is never written again.
            let Some(record) = line.ok().filter(|record| record.request_id.is_some()) else {
                continue;
            };
            let again = LogRecord::parse(record.to_line().trim_end().as_bytes(), Timestamp::EPOCH);
            assert_eq!(again.as_ref(), Ok(&record));
        }
    }
});
