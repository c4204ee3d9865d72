//! The simulation, and the proof that it can be trusted: it detects what is broken on purpose, and its model of the
//! database passes the same tests as MySQL. `DATABASE_URL` must belong to a user who may create databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backlog;
mod conformance;
mod defects;
mod seeds;
