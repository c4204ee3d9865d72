//! Event envelopes: parsed or refused, and never more objects than the text can name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use payment_core::event::Event;

fuzz_target!(|payload: &str| {
    let count = match Event::parse(payload) {
        Ok(Event::Objects(objects)) => objects.len(),
        Ok(Event::Messages(messages)) => messages.len(),
        Ok(Event::Sweep) | Err(_) => 0,
    };
    assert!(count <= payload.len());
});
