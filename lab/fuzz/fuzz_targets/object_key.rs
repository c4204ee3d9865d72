//! Keys as S3's events encode them: decoding reverses encoding, and any text is a key or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use payment_core::ObjectKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

fuzz_target!(|text: &str| {
    if let Some(key) = ObjectKey::parse_form_encoded(text) {
        assert!((1..=1024).contains(&key.as_str().len()));
    }
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC)
        .to_string()
        .replace("%20", "+");
    assert_eq!(
        ObjectKey::parse_form_encoded(&encoded),
        ObjectKey::parse(text)
    );
});
