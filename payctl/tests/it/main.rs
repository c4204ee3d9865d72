//! The program itself, on the lab's S3 and a real server: `DATABASE_URL` is that of a user who may create databases.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod altered;
mod chain;
mod client;
mod client_command;
mod clients;
mod corrected;
mod dead_letters;
mod doctor;
mod forged;
mod forged_ledger;
mod forgery;
mod half_answers;
mod harness;
mod https;
mod interrupted;
mod migrate;
mod not_clean;
mod outage;
mod pay_file;
mod proof;
mod reconcile;
mod replay;
mod sql;
mod swapped;
mod trace;
mod usage;
mod users;
