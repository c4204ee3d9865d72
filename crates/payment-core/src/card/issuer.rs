//! Which digits are a card number: the issuers' published ranges, and the check digit.

use std::ops::RangeInclusive;

pub const DIGITS_MIN: usize = 14;
pub const DIGITS_MAX: usize = 19;

/// Lengths of a card number.
pub const LENGTHS: [usize; 4] = [14, 15, 16, 19];

type Prefixes = &'static [RangeInclusive<u16>];

const DINERS: Prefixes = &[3000..=3059, 3095..=3095, 3600..=3699, 3800..=3999];
const AMEX: Prefixes = &[3400..=3499, 3700..=3799];
const SIXTEEN: Prefixes = &[
    2200..=2204, // Mir
    2221..=2720, // Mastercard
    3000..=3059, // Diners Club, as the next ones
    3095..=3095,
    3528..=3589, // JCB
    3600..=3699,
    3800..=3999,
    4000..=4999, // Visa
    5000..=6999, // Mastercard, Maestro, Discover, UnionPay, RuPay, Elo, Troy
    8100..=8299, // UnionPay, RuPay
];
const NINETEEN: Prefixes = &[
    3528..=3589, // JCB
    4000..=4999, // Visa
    5000..=5099, // Maestro, as the next ones
    5600..=5899,
    6000..=6999, // Discover, UnionPay, Maestro
    8100..=8199, // UnionPay
];

/// What few cards have is left out where more digits follow at once: chance would find too much.
const SIXTEEN_AND_MORE: Prefixes = &[
    2221..=2720, // Mastercard
    3528..=3589, // JCB
    4000..=4999, // Visa
    5018..=5018, // Maestro, as the next ones
    5020..=5020,
    5038..=5038,
    5100..=5599, // Mastercard
    5893..=5893, // Maestro
    6011..=6011, // Discover
    6200..=6299, // UnionPay
    6304..=6304, // Maestro
    6440..=6599, // Discover
    6759..=6759, // Maestro, as the next ones
    6761..=6763,
    8100..=8199, // UnionPay
];
const NINETEEN_AND_MORE: Prefixes = &[6200..=6299, 8100..=8199];

/// Years of expiry dates that are looked for right behind a card number: of the cards in use. Each year more finds
/// more by chance; the corpora show how much.
const EXPIRY_YEARS: RangeInclusive<u16> = 24..=36;

/// Whether these ASCII digits are a card number and nothing else.
pub fn is_card(digits: &[u8]) -> bool {
    let prefixes = match digits.len() {
        14 => DINERS,
        15 => AMEX,
        16 => SIXTEEN,
        19 => NINETEEN,
        _ => return false,
    };
    starts_with(prefixes, digits) && passes_luhn(digits)
}

/// Whether a run of ASCII digits is a card number, or one with an expiry date and perhaps a security code behind it.
pub fn is_in_run(digits: &[u8]) -> bool {
    is_card(digits)
        || LENGTHS
            .iter()
            .any(|length| is_card_and_more(digits, *length))
}

fn is_card_and_more(digits: &[u8], length: usize) -> bool {
    let Some((card, more)) = digits.split_at_checked(length) else {
        return false;
    };
    let (prefixes, code) = match length {
        14 => (DINERS, 3),
        15 => (AMEX, 4),
        16 => (SIXTEEN_AND_MORE, 3),
        _ => (NINETEEN_AND_MORE, 3),
    };
    let is_expiry = [4, 6].iter().any(|expiry| {
        (more.len() == *expiry || more.len() == expiry + code) && is_expiry(&more[..*expiry])
    });
    is_expiry && starts_with(prefixes, card) && passes_luhn(card)
}

/// A month and a year of two or four digits, whichever comes first.
fn is_expiry(digits: &[u8]) -> bool {
    let is_year = |digits: &[u8]| match digits {
        [b'2', b'0', year @ ..] if year.len() == 2 => EXPIRY_YEARS.contains(&value(year)),
        year => year.len() == 2 && EXPIRY_YEARS.contains(&value(year)),
    };
    let (month_first, year_last) = digits.split_at(2);
    let (year_first, month_last) = digits.split_at(digits.len() - 2);
    is_month(month_first) && is_year(year_last) || is_month(month_last) && is_year(year_first)
}

pub fn is_month(digits: &[u8]) -> bool {
    (1..=12).contains(&value(digits))
}

fn value(digits: &[u8]) -> u16 {
    let digits = digits.iter().map(|digit| u16::from(digit - b'0'));
    digits.fold(0, |value, digit| value * 10 + digit)
}

fn starts_with(prefixes: Prefixes, digits: &[u8]) -> bool {
    let prefix = value(&digits[..4]);
    prefixes.iter().any(|range| range.contains(&prefix))
}

fn passes_luhn(digits: &[u8]) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9_u32];
    let mut sum = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let digit = digit - b'0';
        sum += if place % 2 == 0 {
            digit.into()
        } else {
            doubled[usize::from(digit)]
        };
    }
    sum.is_multiple_of(10)
}
