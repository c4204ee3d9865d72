//! Decimal digits of every script. Of the standard library, `char::to_digit` knows ASCII alone.

/// The zeros of Unicode 17's decimal digits (general category Nd) beyond ASCII. The other nine follow each.
#[rustfmt::skip]
const ZEROS: [u32; 76] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11DE0, 0x11F50, 0x16130,
    0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0,
    0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

/// The value of a decimal digit.
pub fn value(c: char) -> Option<u8> {
    if c.is_ascii() {
        return u8::try_from(c.to_digit(10)?).ok();
    }
    let point = u32::from(c);
    let after = ZEROS.partition_point(|zero| *zero <= point);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    u8::try_from(point - zero).ok().filter(|value| *value < 10)
}

/// The ASCII digit of the same value.
pub fn to_ascii(c: char) -> Option<char> {
    value(c).map(|value| char::from(b'0' + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_have_their_value() {
        for (digits, script) in [
            ("0123456789", "ASCII"),
            ("٠١٢٣٤٥٦٧٨٩", "Arabic"),
            ("۰۱۲۳۴۵۶۷۸۹", "Persian"),
            ("०१२३४५६७८९", "Devanagari"),
            ("０１２３４５６７８９", "full width"),
            ("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "mathematical bold"),
            ("𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", "mathematical monospace"),
        ] {
            let values: Vec<_> = digits.chars().filter_map(value).collect();
            assert_eq!(values, (0..10).collect::<Vec<_>>(), "{script}");
        }
    }

    #[test]
    fn each_of_the_table_is_numeric_and_nothing_else_is_a_digit() {
        let count = ('\0'..=char::MAX).filter(|c| value(*c).is_some()).count();
        assert_eq!(count, 10 * (ZEROS.len() + 1));
        for c in ('\0'..=char::MAX).filter(|c| value(*c).is_some()) {
            assert!(c.is_numeric(), "{:x}", u32::from(c));
        }
        for c in ['²', '½', 'Ⅳ', '一', '٪', 'a'] {
            assert_eq!(value(c), None, "{c}");
        }
    }
}
