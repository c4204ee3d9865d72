//! A header of the chain is written in one way, and is a line of no object that it does not begin.
#![no_main]

use libfuzzer_sys::fuzz_target;
use payment_core::chain::Header;
use payment_core::object::read_header;
use payment_core::record::read_object;
use payment_core::{ObjectKey, Timestamp};
use uuid::Uuid;

fuzz_target!(|line: &[u8]| {
    let Ok(header) = Header::parse(line) else {
        return;
    };
    let written = header.to_line();
    assert_eq!(
        line.strip_suffix(b"\n").unwrap_or(line),
        written.trim_end().as_bytes()
    );
    assert_eq!(Header::parse(written.as_bytes()).as_ref(), Ok(&header));
    let key = |node: &str| ObjectKey::batch("t/", Timestamp::EPOCH, Uuid::nil(), node);
    let own = key(&header.node.to_string());
    assert_eq!(read_header(&own, line), Some(header));
    assert_eq!(read_object(&own, line, Timestamp::EPOCH).count(), 0);
    let other = key("another");
    assert_eq!(read_header(&other, line), None);
    assert_eq!(read_object(&other, line, Timestamp::EPOCH).count(), 1);
});
