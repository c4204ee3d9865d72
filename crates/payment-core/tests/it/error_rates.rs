//! Both errors of the card check: a card number that is missed, and an identifier that is refused.

use payment_core::card;

use crate::corpora::Rng;
use crate::corpora::cards::{FORMS, NETWORKS, NOT_APPENDED, number};
use crate::corpora::identifiers::{CLASSES, Limit};

const PER_CLASS: usize = 10_000;
const PER_FORM: usize = 500;

#[test]
fn p8_no_form_of_any_networks_card_number_is_missed() {
    for (form, write) in FORMS {
        for network in NETWORKS {
            if form.contains("without a mark") && NOT_APPENDED.contains(&network.0) {
                continue;
            }
            let mut rng = Rng(1);
            for _ in 0..PER_FORM {
                let card = number(&mut rng, network);
                let text = write(&mut rng, network.3, &card);
                assert!(card::is_in(&text), "{}, {form}: {text:?}", network.0);
            }
        }
    }
}

#[test]
fn ordinary_identifiers_are_no_card_numbers() {
    for class in CLASSES {
        let mut rng = Rng(1);
        let texts: Vec<_> = (0..PER_CLASS).map(|_| (class.make)(&mut rng)).collect();
        let is_card = |text: &&String| {
            if class.is_number {
                card::is_in_number(text)
            } else {
                card::is_in(text)
            }
        };
        let hits: Vec<_> = texts.iter().filter(is_card).collect();
        let limit = match class.limit {
            Limit::None => 0,
            Limit::OneInAThousand => PER_CLASS / 1000,
            Limit::Shown => continue,
        };
        assert!(
            hits.len() <= limit,
            "{}: {} of {PER_CLASS}, {:?}",
            class.name,
            hits.len(),
            hits.first()
        );
    }
}
