//! Currencies of ISO 4217, and which of them a payment may have today.

use super::SCALE;

/// Codes that left list one of ISO 4217 and that `iso_currency` still knows, by amendments 174 to 180. Checked against
/// the list of 2026-01-01.
const WITHDRAWN: [&str; 5] = ["BGN", "CUC", "HRK", "SLL", "ZWL"];

/// A currency of ISO 4217 that has a minor unit. Metals, testing codes and the like (XAU, XTS, XXX) have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    iso: iso_currency::Currency,
    decimals: usize,
}

impl Currency {
    pub const USD: Self = Self {
        iso: iso_currency::Currency::USD,
        decimals: 2,
    };

    /// The currency of a payment that comes in, by three capital letters: those of list one today.
    pub fn parse(code: &str) -> Option<Self> {
        Self::from_stored(code).filter(|currency| !currency.is_withdrawn())
    }

    /// Whether list one no longer has it.
    pub fn is_withdrawn(self) -> bool {
        WITHDRAWN.contains(&self.code())
    }

    /// The currency of a line or a row: any that was ever accepted. Amounts are hashed with its decimals, so neither
    /// a code nor its decimals may go from here.
    pub fn from_stored(code: &str) -> Option<Self> {
        let iso = iso_currency::Currency::from_code(code)?;
        let decimals = usize::from(iso.exponent()?);
        (decimals <= SCALE).then_some(Self { iso, decimals })
    }

    /// Every currency that an amount may have today, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        let letters = || 'A'..='Z';
        letters().flat_map(move |a| {
            letters().flat_map(move |b| {
                letters().filter_map(move |c| Self::parse(&String::from_iter([a, b, c])))
            })
        })
    }

    /// Name in English, e.g. `Japanese yen`.
    pub fn name(&self) -> &str {
        self.iso.name()
    }

    /// Sign that people write beside an amount, such as `$`. Empty if the currency has none of its own.
    pub fn symbol(self) -> String {
        let symbol = self.iso.symbol().to_string();
        // U+00A4 stands for any currency.
        if symbol == "¤" {
            String::new()
        } else {
            symbol
        }
    }

    /// ISO 3166 codes of the countries whose money it is, separated by blanks. Empty for a unit of account.
    pub fn countries(self) -> String {
        if self.iso.is_fund() {
            return String::new();
        }
        let countries = self.iso.used_by().into_iter();
        let codes: Vec<String> = countries.map(|country| country.to_string()).collect();
        codes.join(" ")
    }

    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// Digits after the point that an amount of this currency may have.
    pub fn decimals(self) -> usize {
        self.decimals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_without_a_minor_unit_are_no_currency() {
        for code in ["XAU", "XXX", "XTS", "usd", "US", "USDX", ""] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }

    /// Codes by their decimals: a code may be added, but neither removed nor moved, since lines of the journal have it.
    const EVER_ACCEPTED: [(usize, &str); 4] = [
        (
            0,
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        ),
        (
            2,
            "AED AFN ALL AMD XCG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP \
             BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR \
             FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
             KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR \
             MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK \
             SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN \
             UYU UZS VED VES WST XAD XCD YER ZAR ZMW ZWL ZWG",
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    ];

    #[test]
    fn p2_every_currency_ever_accepted_is_read_with_its_decimals() {
        for (decimals, codes) in EVER_ACCEPTED {
            for code in codes.split_ascii_whitespace() {
                let found = Currency::from_stored(code).map(Currency::decimals);
                assert_eq!(found, Some(decimals), "{code}");
            }
        }
        let listed = EVER_ACCEPTED.map(|(_, codes)| codes).join(" ");
        for currency in Currency::all() {
            assert!(listed.contains(currency.code()), "add {}", currency.code());
        }
    }

    #[test]
    fn withdrawn_currencies_are_refused_and_still_read() {
        for code in ["HRK", "BGN", "CUC", "SLL", "ZWL"] {
            assert_eq!(Currency::parse(code), None, "{code}");
            assert_eq!(Currency::from_stored(code).unwrap().decimals(), 2, "{code}");
        }
        assert_eq!(Currency::from_stored("ANG"), None);
        for code in ["XCG", "SLE", "VED", "VES", "ZWG", "MRU"] {
            assert!(Currency::parse(code).is_some(), "{code}");
        }
    }

    #[test]
    fn all_currencies_are_there_in_order_of_their_codes() {
        let codes: Vec<_> = Currency::all().map(Currency::code).collect();
        assert!(codes.len() > 150 && codes.is_sorted(), "{codes:?}");
        for code in ["AED", "CLF", "JPY", "USD", "ZWG"] {
            assert!(codes.contains(&code), "{code}");
        }
        assert!(!codes.contains(&"XAU"));
    }
}
