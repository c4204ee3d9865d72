//! International bank account numbers (ISO 13616): their digits are like those of cards, and their check digits tell
//! them apart.

use std::ops::Range;

/// The longest that ISO 13616 allows.
const CHARS_MAX: usize = 34;

/// Country, and form of the account number that follows the two check digits: how many digits (n), capital letters
/// (a), or either (c). After the IBAN registry that SWIFT keeps for ISO 13616.
#[rustfmt::skip]
pub const REGISTRY: [(&str, &str); 89] = [
    ("AD", "8n12c"), ("AE", "19n"), ("AL", "8n16c"), ("AT", "16n"), ("AZ", "4a20c"), ("BA", "16n"), ("BE", "12n"),
    ("BG", "4a6n8c"), ("BH", "4a14c"), ("BI", "23n"), ("BR", "23n1a1c"), ("BY", "4c4n16c"), ("CH", "5n12c"),
    ("CR", "18n"), ("CY", "8n16c"), ("CZ", "20n"), ("DE", "18n"), ("DJ", "23n"), ("DK", "14n"), ("DO", "4c20n"),
    ("EE", "16n"), ("EG", "25n"), ("ES", "20n"), ("FI", "14n"), ("FK", "2a12n"), ("FO", "14n"), ("FR", "10n11c2n"),
    ("GB", "4a14n"), ("GE", "2a16n"), ("GI", "4a15c"), ("GL", "14n"), ("GR", "7n16c"), ("GT", "24c"), ("HN", "4a20n"),
    ("HR", "17n"), ("HU", "24n"), ("IE", "4a14n"), ("IL", "19n"), ("IQ", "4a15n"), ("IS", "22n"), ("IT", "1a10n12c"),
    ("JO", "4a4n18c"), ("KW", "4a22c"), ("KZ", "3n13c"), ("LB", "4n20c"), ("LC", "4a24c"), ("LI", "5n12c"),
    ("LT", "16n"), ("LU", "3n13c"), ("LV", "4a13c"), ("LY", "21n"), ("MC", "10n11c2n"), ("MD", "20c"), ("ME", "18n"),
    ("MK", "3n10c2n"), ("MN", "16n"), ("MR", "23n"), ("MT", "4a5n18c"), ("MU", "4a19n3a"), ("NI", "4a20n"),
    ("NL", "4a10n"), ("NO", "11n"), ("OM", "3n16c"), ("PK", "4a16c"), ("PL", "24n"), ("PS", "4a21c"), ("PT", "21n"),
    ("QA", "4a21c"), ("RO", "4a16c"), ("RS", "18n"), ("RU", "14n15c"), ("SA", "2n18c"), ("SC", "4a20n3a"),
    ("SD", "14n"), ("SE", "20n"), ("SI", "15n"), ("SK", "20n"), ("SM", "1a10n12c"), ("SO", "19n"), ("ST", "21n"),
    ("SV", "4a20n"), ("TL", "19n"), ("TN", "20n"), ("TR", "6n16c"), ("UA", "6n19c"), ("VA", "18n"), ("VG", "4a16n"),
    ("XK", "16n"), ("YE", "4a4n18c"),
];

/// How many characters of which class an account number has, one after the other.
pub fn parts(form: &str) -> impl Iterator<Item = (usize, char)> {
    form.split_inclusive(char::is_alphabetic)
        .filter_map(|part| {
            let class = part.chars().next_back()?;
            Some((part.trim_end_matches(class).parse().ok()?, class))
        })
}

/// Whether an IBAN, in one piece or in groups one character apart, holds the first of these digits.
pub fn covers(bytes: &[u8], digits: &Range<usize>) -> bool {
    let mut start = digits.start;
    let mut chars = 0;
    let mut gap = false;
    while chars < CHARS_MAX && start > 0 {
        start -= 1;
        if bytes[start].is_ascii_alphanumeric() {
            (chars, gap) = (chars + 1, false);
            // In the middle of a word, chance makes IBANs of other words.
            let starts_word = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
            if starts_word && end(&bytes[start..]).is_some_and(|end| start + end > digits.start) {
                return true;
            }
        } else if is_char_start(bytes[start]) && std::mem::replace(&mut gap, true) {
            return false;
        }
    }
    false
}

/// Returns the end of the IBAN that `text` starts with.
fn end(text: &[u8]) -> Option<usize> {
    let country = text.get(..2)?.to_ascii_uppercase();
    let (_, form) = REGISTRY
        .iter()
        .find(|(known, _)| known.as_bytes() == country)?;
    let mut rest = Chars { text, at: 0 };
    let mut remainder = Remainder::default();
    let head: [u8; 4] = [rest.next()?, rest.next()?, rest.next()?, rest.next()?];
    for (count, class) in parts(form) {
        for _ in 0..count {
            let c = rest.next().filter(|c| is_of(class, *c))?;
            remainder.push(c);
        }
    }
    for c in head {
        remainder.push(c);
    }
    let is_digits = head[2..].iter().all(u8::is_ascii_digit);
    let goes_on = text.get(rest.at).is_some_and(u8::is_ascii_alphanumeric);
    (is_digits && !goes_on && remainder.0 == 1).then_some(rest.at)
}

fn is_of(class: char, c: u8) -> bool {
    match class {
        'n' => c.is_ascii_digit(),
        'a' => c.is_ascii_alphabetic(),
        _ => true,
    }
}

/// Letters and digits, at most one other character apart.
struct Chars<'a> {
    text: &'a [u8],
    at: usize,
}

impl Chars<'_> {
    fn next(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        let gap = match rest.first()? {
            c if c.is_ascii_alphanumeric() => 0,
            _ => {
                1 + rest[1..]
                    .iter()
                    .take_while(|byte| !is_char_start(**byte))
                    .count()
            }
        };
        let c = *rest.get(gap).filter(|c| c.is_ascii_alphanumeric())?;
        self.at += gap + 1;
        Some(c)
    }
}

/// Whether a byte of UTF-8 begins a character.
fn is_char_start(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// Remainder by 97 of a number of which each letter is two digits, from 10 for A.
#[derive(Debug, Default)]
pub struct Remainder(pub u32);

impl Remainder {
    pub fn push(&mut self, c: u8) {
        self.0 = match c {
            b'0'..=b'9' => self.0 * 10 + u32::from(c - b'0'),
            _ => self.0 * 100 + u32::from(c.to_ascii_uppercase() - b'A') + 10,
        } % 97;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registry's own examples.
    const EXAMPLES: [&str; 12] = [
        "GB29NWBK60161331926819",
        "DE89370400440532013000",
        "PL61109010140000071219812874",
        "FR1420041010050500013M02606",
        "CH9300762011623852957",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
        "BR1800360305000010009795493C1",
        "SC18SSCB11010000000000001497USD",
        "LC55HEMM000100010012001200023015",
        "SA0380000000608010167519",
        "ES9121000418450200051332",
    ];

    #[test]
    fn an_iban_is_known_whole_in_groups_and_in_small_letters() {
        for iban in EXAMPLES {
            let groups: Vec<_> = iban
                .as_bytes()
                .chunks(4)
                .map(|group| std::str::from_utf8(group).unwrap())
                .collect();
            for (text, gap) in [
                (iban.to_owned(), 0),
                (groups.join(" "), 1),
                (groups.join("\u{a0}"), 2),
            ] {
                let length = iban.len() + gap * (groups.len() - 1);
                assert_eq!(end(text.as_bytes()), Some(length), "{text}");
                assert_eq!(end(text.to_lowercase().as_bytes()), Some(length), "{text}");
                assert_eq!(end(format!("{text}1").as_bytes()), None, "{text}1");
            }
        }
    }

    #[test]
    fn wrong_check_digits_and_forms_are_no_iban() {
        for text in [
            "DE88370400440532013000",
            "DE8937040044053201300A",
            "DE89  3704 0044 0532 0130 00",
            "ZZ89370400440532013000",
            "DE8937040044053201300",
            "DE",
            "",
        ] {
            assert_eq!(end(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn each_country_has_an_account_number_that_fits() {
        assert!(REGISTRY.is_sorted());
        for (country, form) in REGISTRY {
            let chars: usize = parts(form).map(|(count, _)| count).sum();
            assert!((11..=CHARS_MAX - 4).contains(&chars), "{country}");
        }
    }
}
