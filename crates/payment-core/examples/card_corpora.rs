//! Error rates and speed of the card check: `cargo run --release -p payment-core --example card_corpora`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

#[path = "../tests/it/corpora/mod.rs"]
mod corpora;

use std::hint::black_box;
use std::time::Instant;

use corpora::Rng;
use corpora::cards::{FORMS, NETWORKS, NOT_APPENDED, number};
use corpora::identifiers::{CLASSES, Limit};
use payment_core::{Draft, card};

const PER_CLASS: usize = 10_000;
const PER_FORM: usize = 1_000;
const TURNS: u32 = 500_000;

const SMALL: &str = r#"{"id":"tx_019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4","transaction":"Invoice 1234","amount":"100.00","currency":"EUR","status":"processed","payer_name":"Zoë Müller"}"#;
const LARGE: &str = r#"{"id":"tx_019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4","transaction":"Invoice 1234","amount":"100.00","currency":"EUR","status":"processed","payer_name":"Zoë Müller","iban":"DE89 3704 0044 0532 0130 00","order":"ORD-20261126-000412","phone":"+49 151 12345678","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","at":"2026-11-26T07:30:00.123456Z"}"#;

fn main() {
    missed();
    refused();
    speed("a small payment", SMALL);
    speed("a large payment", LARGE);
    worst();
}

fn missed() {
    println!("card numbers missed, of {PER_FORM} for each network:");
    for (form, write) in FORMS {
        let mut missed = 0;
        let mut rng = Rng(1);
        for network in NETWORKS {
            if form.contains("without a mark") && NOT_APPENDED.contains(&network.0) {
                continue;
            }
            let texts = (0..PER_FORM).map(|_| {
                let card = number(&mut rng, network);
                write(&mut rng, network.3, &card)
            });
            missed += texts.filter(|text| !card::is_in(text)).count();
        }
        println!("  {form:<45} {missed:>5}");
    }
}

fn refused() {
    println!("identifiers refused, of {PER_CLASS} each:");
    for class in CLASSES {
        let mut rng = Rng(1);
        let texts = (0..PER_CLASS).map(|_| (class.make)(&mut rng));
        let is_card = |text: &String| {
            if class.is_number {
                card::is_in_number(text)
            } else {
                card::is_in(text)
            }
        };
        let hits = texts.filter(is_card).count();
        let limit = match class.limit {
            Limit::None => "none may be",
            Limit::OneInAThousand => "10 may be",
            Limit::Shown => "can't be told from card numbers",
        };
        println!("  {:<45} {hits:>5}  {limit}", class.name);
    }
}

fn speed(name: &str, body: &str) {
    let payment: serde_json::Value = serde_json::from_str(body).unwrap();
    let members = payment.as_object().unwrap();
    let texts: Vec<_> = members
        .iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str().unwrap()])
        .collect();
    let check = time(|| texts.iter().any(|text| card::is_in(black_box(text))));
    let parse = time(|| Draft::parse(black_box(body.as_bytes())).is_err());
    println!("{name}: {check:.0} ns for the check, of {parse:.0} ns to read it");
}

/// Nanoseconds of one turn, of the best of three.
fn time(turn: impl Fn() -> bool) -> f64 {
    let once = || {
        let start = Instant::now();
        for _ in 0..TURNS {
            assert!(!turn(), "a hit would end it early");
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(TURNS)
    };
    (0..3).map(|_| once()).fold(f64::MAX, f64::min)
}

/// Texts that give each part of the check the most to do, without a hit.
fn worst() {
    println!("16 KiB of the worst:");
    let parts = [
        "4",
        "4 ",
        "4444 ",
        "4444-",
        "44444.4444444 ",
        "4444444444444444 ",
        "DE89 4000000000000002 ",
        "DE12DE12DE12DE12DE12DE12DE12 4111111111111111 ",
        "4e",
        "34",
        "3434343434343434343434343434e",
        "34 ",
        "&nbsp;4444",
        "%204444",
        "%25",
        "٤",
        "4444\u{2003}",
        "4.4444444444444444",
        "4444444444444444D",
        "%2525",
        "41111111-1111-4111-8111-111111111111 ",
        "a4111-1111-1111-1111-",
        "5A084444444444444444",
    ];
    for part in parts {
        let text = part.repeat(16 * 1024 / part.len());
        let start = Instant::now();
        let hit = black_box(card::is_in(black_box(&text)));
        let took = start.elapsed();
        println!(
            "  {:<45} {:>5} µs{}",
            format!("{part:?}"),
            took.as_micros(),
            if hit { ", a hit" } else { "" }
        );
    }
}
