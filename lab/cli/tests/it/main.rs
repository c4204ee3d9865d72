//! The whole pipeline, end to end, in processes of its own.
//!
//! Each test is named for what it proves and runs a lab in a directory and on ports of its own.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod accounts;
mod api;
mod batch;
mod bench;
mod browser;
mod card_numbers;
mod chaos;
mod clients;
mod console;
mod crowd;
mod doctor;
mod emulator;
mod exactness;
mod faults;
mod grants;
mod large_objects;
mod object_lock;
mod older_objects;
mod on_demand;
mod operator;
mod outage;
mod pay_page;
mod receipt_page;
mod rolling_restart;
mod round_trip;
mod supervision;
mod test_command;
mod test_lab;
mod tls;
mod vpc;
mod watch;
mod workspace;
