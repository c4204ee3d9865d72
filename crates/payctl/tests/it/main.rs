//! The program itself, on a real server: `DATABASE_URL` is that of a user who may create databases.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod migrate;
