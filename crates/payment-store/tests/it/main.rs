//! On a real server: `DATABASE_URL` is that of a user who may create databases and users. Each test has a
//! database of its own. Tests whose names start with p2, p3, p4 or p7 prove that promise.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod append_only;
mod audit;
mod chain;
mod clients;
mod exact;
mod exactly_one;
mod faults;
mod harness;
mod lookups;
mod nodelay;
mod proxy;
mod races;
mod refused;
mod schema;
