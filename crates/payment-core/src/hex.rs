//! Hexadecimal digits, by hand: several ids and a hash in every line, and `{:02x}` for each byte takes ten times as long.

/// Bytes that are written at a time: a hash.
const STEP: usize = 32;

/// More than any digit's value, and a bit that none has.
const NO_DIGIT: u8 = 0x10;

/// Appends two digits a byte, in lower case.
pub fn push(bytes: &[u8], out: &mut String) {
    // Arithmetic in place of a table, so that the compiler does many bytes at once.
    let digit = |nibble: u8| nibble + if nibble > 9 { b'a' - 10 } else { b'0' };
    for some in bytes.chunks(STEP) {
        let mut text = [0; 2 * STEP];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(some) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        out.push_str(str::from_utf8(&text[..2 * some.len()]).unwrap_or_default());
    }
}

/// Reads two digits a byte, in lower case; `None` for anything else, and for another length.
pub fn parse<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != BYTES {
        return None;
    }
    // Without a branch a digit, as above.
    let value = |digit: u8| {
        let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
        if decimal <= 9 {
            decimal
        } else if letter <= 5 {
            letter + 10
        } else {
            NO_DIGIT
        }
    };
    let (mut bytes, mut all) = ([0; BYTES], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (value(*high), value(*low));
        all |= high | low;
        *byte = high << 4 | low & 15;
    }
    (all < NO_DIGIT).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        let mut text = String::new();
        let bytes: Vec<u8> = (0..=255).collect();
        push(&bytes, &mut text);
        let expected: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, expected.concat());
        text.clear();
        push(&[1, 0xab, 255], &mut text);
        assert_eq!(text, "01abff");
    }
}
