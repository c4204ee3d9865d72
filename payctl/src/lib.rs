//! The operator's tool: asks, proves and repeats, on AWS and in the lab alike.
//!
//! - [`command`]: one module a command; [`outcome`] says how they end.
//! - [`config`]: environment variables, every mistake of them at once.
//! - [`range`] and [`journal`]: which objects of the bucket are meant, listed and read. [`journal_scan`] pairs them with the ledger.
//! - [`audit`]: holds the log against the rows, and names what differs.
//! - [`proof`]: the chain of the objects, and signed checkpoints of what was found to be right.
//! - [`ingest`]: the function's own code, run by hand. [`queue`]: dead-lettered events; [`pay_client`]: the pipeline's own front.
//! - [`doctor`]: holds the account against the notes, by what the `aws` command says of it.
//!
//! - [`clients_file`]: the file of clients, changed whole; [`credential`]: a key or signature of this client.
//!
//! It changes nothing but that file, and by the function's own code, which adds rows and never touches one. It must not know
//! SQL, nor what makes two payments the same. It shows no payer's name, but
//! in a receipt: ids, keys, lines and hashes are enough.

mod audit;
mod cli;
mod clients_file;
mod clock;
mod command;
mod config;
mod credential;
mod doctor;
mod grid;
mod http_client;
mod ingest;
mod journal;
mod journal_scan;
mod outcome;
mod output;
mod pay_client;
mod places;
mod progress;
mod proof;
mod queue;
mod range;
mod stop;
mod text_file;

pub use cli::run;
