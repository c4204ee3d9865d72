//! The rules of a payment from outside, on many made-up texts.

mod corpora;
mod error_rates;
mod examples;
