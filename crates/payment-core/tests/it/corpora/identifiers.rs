//! Ordinary numbers and identifiers, as systems and people write them.

use payment_core::card::iban::{self, REGISTRY, Remainder};

use super::{Rng, check_digit, grouped};

/// How many of 10,000 may be taken for a card number.
#[derive(Clone, Copy)]
pub enum Limit {
    /// None is a card number, by its form.
    None,
    /// Nothing but chance keeps them apart.
    OneInAThousand,
    /// Nothing keeps them apart: the definition takes them, and the rate is for information.
    Shown,
}

type Make = fn(&mut Rng) -> String;

pub struct Class {
    pub name: &'static str,
    pub limit: Limit,
    /// Whether the texts are numbers in JSON.
    pub is_number: bool,
    pub make: Make,
}

const fn class(name: &'static str, limit: Limit, make: Make) -> Class {
    Class {
        name,
        limit,
        is_number: false,
        make,
    }
}

const fn number(name: &'static str, make: Make) -> Class {
    Class {
        name,
        limit: Limit::None,
        is_number: true,
        make,
    }
}

pub const CLASSES: [Class; 32] = [
    class("IBAN, plain", Limit::None, iban),
    class("IBAN, in groups", Limit::None, |rng| {
        let gap = rng.pick(&[" ", "\u{a0}", "-", "\u{202f}", "."]);
        let before = rng.pick(&["", "IBAN ", "IBAN: ", "an ", "Konto 12 "]);
        let after = rng.pick(&["", " 1234", ", BIC COBADEFFXXX", " 12.50"]);
        format!("{before}{}{after}", in_fours(&iban(rng), gap))
    }),
    class("IBAN, small letters", Limit::None, |rng| {
        in_fours(&iban(rng).to_lowercase(), " ")
    }),
    class("IBAN, percent-encoded", Limit::None, |rng| {
        in_fours(&iban(rng), "%20")
    }),
    class("GTIN-13", Limit::None, |rng| gtin(&rng.digits(12))),
    class("GTIN-13 in hyphens", Limit::None, |rng| {
        grouped(&gtin(&rng.digits(12)), &[3, 1, 2, 6], "-")
    }),
    class("GTIN-14, indicators 1, 2 and 4 to 8", Limit::None, |rng| {
        gtin(&(rng.pick(&["1", "2", "4", "5", "6", "7", "8"]).to_owned() + &rng.digits(12)))
    }),
    class("E.164, plain", Limit::None, |rng| {
        let length = 7 + usize::try_from(rng.below(8)).unwrap();
        format!("+{}{}", 1 + rng.below(9), rng.digits(length))
    }),
    class("E.164, in groups", Limit::None, |rng| phone(rng, "+")),
    class("phone numbers, national", Limit::None, national),
    class("two phone numbers", Limit::None, |rng| {
        format!(
            "{}{}{}",
            phone(rng, "+"),
            rng.pick(&[" / ", ", ", "; "]),
            phone(rng, "+")
        )
    }),
    class("UPS tracking numbers of digits", Limit::None, |rng| {
        format!("{}{}", rng.pick(&["1Z", "1z", "UPS 1Z"]), rng.digits(16))
    }),
    class("USPS tracking numbers, in groups", Limit::None, |rng| {
        let number = format!("9{}{}", 1 + rng.below(5), rng.digits(19));
        let gap = rng.pick(&[" ", "-"]);
        in_fours(&gtin(&number), gap)
    }),
    class("UUID", Limit::None, uuid),
    class("UUID of digits, for the most part", Limit::None, |rng| {
        grouped(
            &rng.chars(b"0123456789012345678901234567890a", 32),
            &[8, 4, 4, 4],
            "-",
        )
    }),
    class("UUID with more around it", Limit::None, |rng| {
        format!(
            "{}{}{}",
            rng.pick(&["tx_", "order-", "face-"]),
            uuid(rng),
            rng.pick(&["", "-1", ":4111", "-2026"])
        )
    }),
    class("digests", Limit::None, |rng| {
        let length = rng.pick(&[32, 40, 56, 64, 96, 128]);
        hex(rng, length)
    }),
    class("digests with a name", Limit::None, |rng| {
        format!("sha256:{}", hex(rng, 64))
    }),
    class("trace ids", Limit::None, |rng| {
        format!("00-{}-{}-01", hex(rng, 32), hex(rng, 16))
    }),
    class("fingerprints", Limit::None, |rng| {
        let digest = hex(rng, 64);
        let bytes: Vec<_> = digest
            .as_bytes()
            .chunks(2)
            .map(|byte| std::str::from_utf8(byte).unwrap())
            .collect();
        bytes.join(":")
    }),
    class("ids with counters", Limit::None, |rng| {
        let (run, worker, count) = (rng.digits(9), rng.below(32), rng.below(100_000));
        format!(
            "{}-{run}-{worker}-{count:05}",
            rng.pick(&["tx", "lab", "load"])
        )
    }),
    class("ids with dates", Limit::None, |rng| {
        let (year, month, day) = (2020 + rng.below(10), 1 + rng.below(12), 1 + rng.below(28));
        let count = rng.digits(6);
        match rng.below(5) {
            0 => format!("INV-{year}-{month:02}-{count}"),
            1 => format!("ORD{year}{month:02}{day:02}{count}"),
            2 => format!("{year}/{month:02}/{day:02}/{count}/{}", rng.digits(4)),
            3 => format!("{}-{year}{month:02}{day:02}-{count}", rng.digits(4)),
            _ => format!("{year}{month:02}{day:02}{count}{}", rng.digits(2)),
        }
    }),
    class("timestamps", Limit::None, |rng| {
        let seconds = 1_000_000_000 + rng.below(1_200_000_000);
        let (time, fraction) = (rng.below(86_400), rng.digits(9));
        let clock = format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        let date = format!(
            "{}-{:02}-{:02}",
            2001 + rng.below(40),
            1 + rng.below(12),
            1 + rng.below(28)
        );
        match rng.below(7) {
            0 => format!("{seconds}"),
            1 => format!("{seconds}{}", &fraction[..3]),
            2 => format!("{seconds}{}", &fraction[..6]),
            3 => format!("{seconds}{fraction}"),
            4 => format!("{seconds}.{fraction}"),
            5 => format!("{date}T{clock}.{fraction}Z"),
            _ => date.replace('-', "") + &clock.replace(':', "") + &fraction[..3],
        }
    }),
    class("floats as text", Limit::None, float),
    class("coordinates as text", Limit::None, |rng| {
        let places = 4 + usize::try_from(rng.below(13)).unwrap();
        let place =
            |rng: &mut Rng, degrees| format!("{}.{}", rng.below(degrees), rng.digits(places));
        let gap = rng.pick(&[",", ", ", " ", ";"]);
        place(rng, 90) + gap + &place(rng, 180)
    }),
    number("floats as JSON", float),
    number("coordinates as JSON", |rng| {
        let places = 13 + usize::try_from(rng.below(4)).unwrap();
        format!(
            "{}{}.{}1",
            rng.pick(&["", "-"]),
            rng.below(180),
            rng.digits(places)
        )
    }),
    class(
        "plain numbers of 17 and 18 digits",
        Limit::OneInAThousand,
        |rng| {
            let length = rng.pick(&[17, 18]);
            plain(rng, length)
        },
    ),
    class(
        "plain numbers of 20 to 30 digits",
        Limit::OneInAThousand,
        |rng| {
            let length = 20 + usize::try_from(rng.below(11)).unwrap();
            plain(rng, length)
        },
    ),
    class("span ids", Limit::OneInAThousand, |rng| hex(rng, 16)),
    class(
        "GTIN-14, indicator 3: Diners Club's digits",
        Limit::Shown,
        |rng| gtin(&format!("3{}", rng.digits(12))),
    ),
    class("plain numbers of 16 digits", Limit::Shown, |rng| {
        plain(rng, 16)
    }),
];

/// Digits as numbers have them: no zero first.
fn plain(rng: &mut Rng, length: usize) -> String {
    format!("{}{}", 1 + rng.below(9), rng.digits(length - 1))
}

fn hex(rng: &mut Rng, length: usize) -> String {
    rng.chars(b"0123456789abcdef", length)
}

fn uuid(rng: &mut Rng) -> String {
    let uuid = grouped(&hex(rng, 32), &[8, 4, 4, 4], "-");
    if rng.below(2) == 0 {
        uuid.to_uppercase()
    } else {
        uuid
    }
}

fn gtin(digits: &str) -> String {
    let check = check_digit(
        digits,
        |place, digit| if place % 2 == 1 { digit * 3 } else { digit },
    );
    format!("{digits}{check}")
}

fn iban(rng: &mut Rng) -> String {
    let (country, form) = rng.pick(&REGISTRY);
    let account: String = iban::parts(form)
        .map(|(count, class)| match class {
            'n' => rng.digits(count),
            'a' => rng.chars(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", count),
            // Most countries that allow letters use few.
            _ if rng.below(4) > 0 => rng.digits(count),
            _ => rng.chars(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", count),
        })
        .collect();
    let mut remainder = Remainder::default();
    for byte in format!("{account}{country}00").bytes() {
        remainder.push(byte);
    }
    format!("{country}{:02}{account}", 98 - remainder.0)
}

fn in_fours(text: &str, gap: &str) -> String {
    let groups: Vec<_> = text
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(gap)
}

/// Country, and groups in which its numbers are written.
const PHONES: [(&str, &[usize]); 16] = [
    ("49", &[3, 8]),
    ("49", &[3, 3, 4, 1]),
    ("49", &[2, 4, 4]),
    ("49", &[4, 6]),
    ("44", &[4, 6]),
    ("44", &[2, 4, 4]),
    ("1", &[3, 3, 4]),
    ("33", &[1, 2, 2, 2, 2]),
    ("39", &[3, 7]),
    ("36", &[2, 3, 4]),
    ("34", &[3, 3, 3]),
    ("37", &[2, 3, 3]),
    ("55", &[2, 5, 4]),
    ("91", &[5, 5]),
    ("86", &[3, 4, 4]),
    ("43", &[3, 6, 4]),
];

fn phone(rng: &mut Rng, plus: &str) -> String {
    let (country, groups) = rng.pick(&PHONES);
    let number = plain(rng, groups.iter().sum());
    format!(
        "{plus}{country} {}",
        grouped(&number, groups, rng.pick(&[" ", "-", ".", "/", ""]))
    )
}

fn national(rng: &mut Rng) -> String {
    match rng.below(5) {
        0 => format!("({}) {}-{}", rng.digits(3), rng.digits(3), rng.digits(4)),
        1 => format!("0{} / {}", plain(rng, 3), rng.digits(7)),
        2 => format!("0{} {} {}", plain(rng, 3), rng.digits(4), rng.digits(4)),
        3 => format!("{} {}", plain(rng, 4), rng.digits(4)),
        _ => format!("0{}", plain(rng, 10)),
    }
}

/// What languages print of doubles: 1 to 17 digits that count, the last no zero.
fn float(rng: &mut Rng) -> String {
    let places = 1 + usize::try_from(rng.below(16)).unwrap();
    let last = 1 + rng.below(9);
    match rng.below(4) {
        0 => format!("0.{}{last}", rng.digits(places)),
        1 => format!(
            "{}.{}{last}e-{}",
            1 + rng.below(9),
            rng.digits(places),
            1 + rng.below(9)
        ),
        2 => format!(
            "{}{}.{}{last}",
            rng.pick(&["", "-"]),
            1 + rng.below(9),
            rng.digits(places)
        ),
        _ => format!("{}.{}{last}", 1 + rng.below(9_999), rng.digits(places)),
    }
}
