//! Card numbers of every network, as people and terminals write them.

use super::{Rng, check_digit, grouped};

/// Name, digits, first digits (a range of numbers with the same count of digits), and groups as printed.
type Network = (&'static str, usize, &'static [(u64, u64)], &'static [usize]);

pub const NETWORKS: [Network; 12] = [
    ("Visa", 16, &[(4, 4)], &[4, 4, 4, 4]),
    ("Mastercard 5", 16, &[(51, 55)], &[4, 4, 4, 4]),
    ("Mastercard 2", 16, &[(2221, 2720)], &[4, 4, 4, 4]),
    ("American Express", 15, &[(34, 34), (37, 37)], &[4, 6, 5]),
    (
        "Discover",
        16,
        &[(6011, 6011), (644, 649), (65, 65)],
        &[4, 4, 4, 4],
    ),
    ("JCB", 16, &[(3528, 3589)], &[4, 4, 4, 4]),
    (
        "Diners Club",
        14,
        &[(300, 305), (3095, 3095), (36, 36), (38, 39)],
        &[4, 6, 4],
    ),
    ("UnionPay 16", 16, &[(62, 62)], &[4, 4, 4, 4]),
    ("UnionPay 19", 19, &[(62, 62)], &[4, 4, 4, 4, 3]),
    (
        "Maestro",
        16,
        &[
            (5018, 5018),
            (5020, 5020),
            (5038, 5038),
            (5893, 5893),
            (6304, 6304),
            (6759, 6759),
            (6761, 6763),
        ],
        &[4, 4, 4, 4],
    ),
    ("Mir", 16, &[(2200, 2204)], &[4, 4, 4, 4]),
    (
        "RuPay",
        16,
        &[(60, 60), (81, 82), (508, 508)],
        &[4, 4, 4, 4],
    ),
];

/// Issuers too small to be looked for where an expiry date follows without a mark.
pub const NOT_APPENDED: [&str; 2] = ["Mir", "RuPay"];

pub fn number(rng: &mut Rng, (_, length, prefixes, _): Network) -> String {
    let (from, to) = rng.pick(prefixes);
    let mut card = (from + rng.below(to - from + 1)).to_string();
    card += &rng.digits(length - 1 - card.len());
    card.push(check_digit(&card, |place, digit| match place % 2 {
        1 => digit * 2 / 10 + digit * 2 % 10,
        _ => digit,
    }));
    card
}

const GAPS: [&str; 34] = [
    " ",
    "-",
    ".",
    "/",
    "_",
    ",",
    ":",
    "|",
    "\\",
    "·",
    "•",
    "*",
    "+",
    "~",
    "\u{2013}",
    "\u{2014}",
    "\u{2212}",
    "\u{2010}",
    "  ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    "\u{a0}",
    "\u{202f}",
    "\u{2009}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    " - ",
    " \u{2013} ",
    ", ",
    "\u{ad}",
    "\u{a0}\u{a0}",
];
const ENCODED_GAPS: [&str; 20] = [
    "%20",
    "+",
    "%2D",
    "%09",
    "%0A",
    "%0D%0A",
    "%C2%A0",
    "%E2%80%93",
    "%2520",
    "%2F",
    "&nbsp;",
    "&#160;",
    "&#xA0;",
    "&#32;",
    "&ndash;",
    "&#8211;",
    "&thinsp;",
    "&amp;nbsp;",
    "&nbsp;&nbsp;",
    "&middot;",
];
const SCRIPTS: [char; 6] = ['٠', '۰', '०', '０', '𝟎', '๐'];
const BEFORE: [&str; 10] = [
    "",
    "card ",
    "Visa",
    "Karte: ",
    "tx_",
    "2026-11-22 ",
    "paid 12.50 EUR with ",
    "№",
    "ä",
    "('",
];
const AFTER: [&str; 8] = [
    "",
    ".",
    " thanks",
    ", please",
    "\n",
    "ä",
    "')",
    " 12.50 EUR",
];

/// How a card number is written: the network's groups, the number, an expiry date, a code.
type Form = fn(&mut Rng, &[usize], &str) -> String;

pub const FORMS: [(&str, Form); 18] = [
    ("one run", |_, _, card| card.to_owned()),
    ("printed groups", |rng, groups, card| {
        grouped(card, groups, rng.pick(&GAPS))
    }),
    ("with an invisible character within", |rng, _, card| {
        let at = 1 + usize::try_from(rng.below(13)).unwrap();
        let (before, after) = card.split_at(at);
        let within = [
            "\u{ad}", "\u{200b}", "\u{200d}", "\u{2060}", "&shy;", "&#8203;",
        ];
        format!("{before}{}{after}", rng.pick(&within))
    }),
    ("encoded groups", |rng, groups, card| {
        grouped(card, groups, rng.pick(&ENCODED_GAPS))
    }),
    ("encoded digits", |rng, _, card| {
        let ways: [fn(char) -> String; 3] = [
            |c| format!("%{:02X}", u32::from(c)),
            |c| format!("&#{};", u32::from(c)),
            |c| format!("&#x{:x};", u32::from(c)),
        ];
        let write = rng.pick(&ways);
        card.chars().map(write).collect()
    }),
    ("other scripts", |rng, groups, card| {
        let zero = u32::from(rng.pick(&SCRIPTS));
        let digit = |c: char| {
            c.to_digit(10)
                .and_then(|value| char::from_u32(zero + value))
        };
        let card: String = card.chars().filter_map(digit).collect();
        let chars: Vec<_> = card.chars().collect();
        let mut rest = &chars[..];
        let mut words = Vec::new();
        for length in groups {
            words.push(rest[..*length].iter().collect::<String>());
            rest = &rest[*length..];
        }
        words.join(rng.pick(&["", " ", "-", "\u{3000}"]))
    }),
    ("with an expiry date", |rng, groups, card| {
        let (gap, more) = (
            rng.pick(&["", " ", "-"]),
            rng.pick(&[" ", "/", ";", ", ", "|", " exp ", "\t"]),
        );
        let (month, year) = expiry(rng);
        format!(
            "{}{more}{month}{}{year}",
            grouped(card, groups, gap),
            rng.pick(&["/", "", "-", "/20"])
        )
    }),
    ("with a security code", |rng, groups, card| {
        let (gap, more) = (
            rng.pick(&["", " ", "-"]),
            rng.pick(&[" ", "/", ";", ", ", "|", " cvv ", "."]),
        );
        format!("{}{more}{}", grouped(card, groups, gap), code(rng, card))
    }),
    ("in a sentence", |rng, groups, card| {
        let gap = rng.pick(&["", " ", "-"]);
        format!(
            "{}{}{}",
            rng.pick(&BEFORE),
            grouped(card, groups, gap),
            rng.pick(&AFTER)
        )
    }),
    ("two of them", |rng, groups, card| {
        let gap = rng.pick(&["", " ", "-"]);
        format!("1234 {} {0}", grouped(card, groups, gap)) + &rng.digits(4)
    }),
    ("in a table row", |rng, _, card| {
        let gap = rng.pick(&[",", ";", "\t", "|"]);
        [&rng.digits(3), "Jane Roe", card, "12.50"].join(gap)
    }),
    ("expiry date without a mark", |rng, _, card| {
        appended(rng, card, false)
    }),
    ("expiry date and code without a mark", |rng, _, card| {
        appended(rng, card, true)
    }),
    ("track 1", |rng, _, card| {
        format!(
            "%B{card}^ROE/JANE^{}1201{}?",
            year_month(rng),
            rng.digits(10)
        )
    }),
    ("track 2", |rng, _, card| {
        let separator = rng.pick(&["=", "D", "d"]);
        let (start, end) = rng.pick(&[(";", "?"), ("", ""), ("", "F"), ("57 11 ", "F")]);
        format!(
            "{start}{card}{separator}{}{}{end}",
            year_month(rng),
            rng.digits(13)
        )
    }),
    ("EMV tags", |rng, _, card| {
        if rng.below(4) == 0 {
            let length = card.len().div_ceil(2);
            let fill = if card.len() % 2 == 0 { "" } else { "F" };
            return format!("5F24032512315A{length:02X}{card}{fill}5F340101");
        }
        let track = tag_57(rng, card);
        if rng.below(2) == 0 {
            return format!("9F2701804F07A0000000031010{track}5F200A");
        }
        let gap = rng.pick(&[" ", ":", "-", "\n"]);
        let bytes: Vec<_> = track
            .as_bytes()
            .chunks(2)
            .map(|byte| std::str::from_utf8(byte).unwrap())
            .collect();
        bytes.join(gap)
    }),
    ("track in hexadecimal", |rng, _, card| {
        let date = year_month(rng);
        let text = match rng.below(3) {
            0 => format!(";{card}={date}1201000?"),
            1 => format!("%B{card}^ROE/JANE^{date}1201?"),
            _ => card.to_owned(),
        };
        let ways: [fn(u8) -> String; 3] = [
            |byte| format!("{byte:02X}"),
            |byte| format!("{byte:02x}"),
            |byte| format!("{byte:02x} "),
        ];
        let write = rng.pick(&ways);
        text.bytes().map(write).collect()
    }),
    ("in a number that is whole", |rng, _, card| {
        match rng.below(2) {
            0 => format!("{card}.00"),
            _ => format!("{}.{}E{}", &card[..1], &card[1..], card.len() - 1),
        }
    }),
];

fn expiry(rng: &mut Rng) -> (String, String) {
    (
        format!("{:02}", 1 + rng.below(12)),
        (26 + rng.below(9)).to_string(),
    )
}

fn year_month(rng: &mut Rng) -> String {
    let (month, year) = expiry(rng);
    year + &month
}

fn code(rng: &mut Rng, card: &str) -> String {
    rng.digits(if card.len() == 15 { 4 } else { 3 })
}

fn appended(rng: &mut Rng, card: &str, with_code: bool) -> String {
    let (month, year) = expiry(rng);
    let date = match rng.below(3) {
        0 => month + &year,
        1 => year + &month,
        _ => format!("{month}20{year}"),
    };
    let code = if with_code {
        code(rng, card)
    } else {
        String::new()
    };
    format!("{card}{date}{code}")
}

fn tag_57(rng: &mut Rng, card: &str) -> String {
    let mut value = format!("{card}D{}201{}", year_month(rng), rng.digits(10));
    if value.len() % 2 == 1 {
        value.push('F');
    }
    format!("57{:02X}{value}", value.len() / 2)
}
