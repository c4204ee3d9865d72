//! Exact money: a decimal with the currency that says how many decimals it may have.

mod currency;
mod typed;

use std::fmt;

pub use self::currency::Currency;
pub use self::typed::{TypedError, from_typed};

/// Most digits before the decimal point. With [`SCALE`] decimals they fill a DECIMAL(19,4) column.
pub const WHOLE_DIGITS_MAX: usize = 15;

/// Decimals of the stored number: the most that ISO 4217 gives any currency.
pub const SCALE: usize = 4;

const UNIT: u64 = 10_u64.pow(4);

/// An exponent past this, either way, can't be within the limits of an amount.
const EXPONENT_MAX: i32 = 1_000;

/// More than 0, at most 15 digits before the point, no more after it than its currency has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Ten-thousandths of the currency's unit, whatever the currency.
    ten_thousandths: u64,
    currency: Currency,
}

/// Why a value is no amount, or none of its currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("must be a decimal number, such as 100 or \"100.00\"")]
    NotANumber,
    #[error("must be more than 0")]
    NotPositive,
    #[error("must have at most {WHOLE_DIGITS_MAX} digits before the decimal point")]
    TooLarge,
    #[error("must have at most {decimals} digits after the decimal point in {currency}")]
    TooPrecise {
        currency: &'static str,
        decimals: usize,
    },
}

impl Amount {
    /// Reads a number in JSON's notation (RFC 8259 section 6) exactly, without a float. Zeros at the end
    /// of the fraction carry no value, so `100.000` is a right amount of dollars.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let number = Decimal::parse(text).ok_or(AmountError::NotANumber)?;
        if number.digits.is_empty() || number.negative {
            return Err(AmountError::NotPositive);
        }
        if number.point > WHOLE_DIGITS_MAX.try_into().unwrap_or(i32::MAX) {
            return Err(AmountError::TooLarge);
        }
        let decimals = number.decimals();
        if decimals > currency.decimals() {
            return Err(AmountError::TooPrecise {
                currency: currency.code(),
                decimals: currency.decimals(),
            });
        }
        Ok(Self {
            ten_thousandths: number.ten_thousandths(),
            currency,
        })
    }

    pub fn currency(self) -> Currency {
        self.currency
    }
}

/// The normal form: all decimals of the currency, no more. `100.00` in USD, `100` in JPY.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.ten_thousandths / UNIT;
        let fraction = self.ten_thousandths % UNIT;
        // The least digits are 0 if the currency has fewer than are kept.
        let shown = |unit| fraction / unit;
        match self.currency.decimals() {
            0 => write!(f, "{whole}"),
            1 => write!(f, "{whole}.{}", shown(1_000)),
            2 => write!(f, "{whole}.{:02}", shown(100)),
            3 => write!(f, "{whole}.{:03}", shown(10)),
            _ => write!(f, "{whole}.{fraction:04}"),
        }
    }
}

/// `0.DIGITS × 10^point`, with no zero at either end of the digits.
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    /// Reads a number in JSON's notation.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let zeros = all.iter().take_while(|d| **d == b'0').count();
        let end = all
            .iter()
            .rposition(|d| *d != b'0')
            .map_or(zeros, |last| last + 1);
        let point = i32::try_from(whole.len()).ok()? - i32::try_from(zeros).ok()? + exponent;
        Some(Self {
            negative,
            digits: all[zeros..end].to_vec(),
            point,
        })
    }

    /// The digits before the point, in ASCII, if nothing stands behind it and there are at most `max`.
    pub(crate) fn whole_digits(mut self, max: usize) -> Option<Vec<u8>> {
        let count = usize::try_from(self.point)
            .ok()
            .filter(|count| *count <= max)?;
        (self.digits.len() <= count).then(|| {
            self.digits.resize(count, b'0');
            self.digits
        })
    }

    /// Digits after the decimal point.
    fn decimals(&self) -> usize {
        let digits = i32::try_from(self.digits.len()).unwrap_or(i32::MAX);
        usize::try_from(digits.saturating_sub(self.point)).unwrap_or(0)
    }

    /// Only for a number whose limits were checked: at most 15 digits before and 4 after the point.
    fn ten_thousandths(&self) -> u64 {
        let places = self.point + i32::try_from(SCALE).unwrap_or(0);
        let places = usize::try_from(places).unwrap_or(0);
        let digits = self
            .digits
            .iter()
            .map(|d| u64::from(d - b'0'))
            .chain(std::iter::repeat(0));
        digits
            .take(places)
            .fold(0, |value, digit| value * 10 + digit)
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Exponents beyond any amount are cut to a bound that still fails the limits.
fn parse_exponent(text: &str) -> Option<i32> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    let value = digits
        .parse::<i32>()
        .unwrap_or(EXPONENT_MAX)
        .min(EXPONENT_MAX);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, currency: &str, expected: Result<&str, AmountError>) {
        let currency = Currency::parse(currency).unwrap();
        let parsed = Amount::parse(text, currency).map(|a| a.to_string());
        assert_eq!(
            parsed,
            expected.map(str::to_owned),
            "{text} {}",
            currency.code()
        );
    }

    #[test]
    fn p3_amounts_are_read_to_the_last_digit() {
        check("0.1", "USD", Ok("0.10"));
        check("100", "USD", Ok("100.00"));
        check("100.000", "USD", Ok("100.00"));
        check("1e2", "USD", Ok("100.00"));
        check("1.5E+3", "JPY", Ok("1500"));
        check("12345e-2", "USD", Ok("123.45"));
        check("0.001", "KWD", Ok("0.001"));
        check("0.0001", "CLF", Ok("0.0001"));
        check("999999999999999.99", "USD", Ok("999999999999999.99"));
        check("999999999999999.9999", "CLF", Ok("999999999999999.9999"));
        check("100000000000000000e-3", "USD", Ok("100000000000000.00"));
    }

    #[test]
    fn amounts_outside_the_rule_are_refused_by_name() {
        let two = AmountError::TooPrecise {
            currency: "USD",
            decimals: 2,
        };
        check("99999999999999.9999", "USD", Err(two.clone()));
        check("0.001", "USD", Err(two.clone()));
        check("1e-999999999999", "USD", Err(two));
        check(
            "0.5",
            "JPY",
            Err(AmountError::TooPrecise {
                currency: "JPY",
                decimals: 0,
            }),
        );
        for zero in ["0", "0.00", "-1", "-0.01", "0e5"] {
            check(zero, "USD", Err(AmountError::NotPositive));
        }
        for large in ["1000000000000000", "1e15", "9e999999999999"] {
            check(large, "USD", Err(AmountError::TooLarge));
        }
        for text in [
            "", "1.", ".5", "+1", "01", "1,000", " 1", "1 ", "NaN", "1e", "1e+", "0x1", "١", "--1",
        ] {
            check(text, "USD", Err(AmountError::NotANumber));
        }
    }

    proptest! {
        #[test]
        fn p3_text_round_trips(units in 1_u64..10_u64.pow(17), code in prop::sample::select(vec!["USD", "JPY", "KWD", "CLF"])) {
            let currency = Currency::parse(code).unwrap();
            let scale = 10_u64.pow(u32::try_from(currency.decimals()).unwrap());
            prop_assume!(units / scale < 10_u64.pow(15));
            let text = match currency.decimals() {
                0 => format!("{units}"),
                d => format!("{}.{:0d$}", units / scale, units % scale),
            };
            let amount = Amount::parse(&text, currency).unwrap();
            prop_assert_eq!(amount.to_string(), text.clone());
            prop_assert_eq!(Amount::parse(&amount.to_string(), currency), Ok(amount));
        }

        #[test]
        fn any_text_gives_an_amount_or_a_named_error(text in "[-+0-9.eE ]{0,24}|\\PC{0,12}") {
            if let Ok(amount) = Amount::parse(&text, Currency::USD) {
                prop_assert_eq!(Amount::parse(&amount.to_string(), Currency::USD), Ok(amount));
            }
        }
    }
}
