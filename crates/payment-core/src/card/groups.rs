//! Card numbers in the groups that cards are printed in.

use std::ops::Range;

use super::{identifier, issuer};

/// Digits of each group: most cards, American Express, Diners Club, and the 19 digits of `UnionPay`.
const PRINTED: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3]];

const GROUPS_MAX: usize = 5;

/// The last runs of digits, as long as each stands one gap behind the other.
#[derive(Default)]
pub struct Groups {
    runs: [Range<usize>; GROUPS_MAX],
    count: usize,
}

impl Groups {
    /// Whether `run` is the last group of a card number.
    pub fn complete_card(&mut self, text: &str, run: Range<usize>) -> bool {
        if !(3..=6).contains(&run.len()) {
            self.count = 0;
            return false;
        }
        if self.count > 0 && !is_gap(&text[self.runs[GROUPS_MAX - 1].end..run.start]) {
            self.count = 0;
        }
        self.runs.rotate_left(1);
        self.runs[GROUPS_MAX - 1] = run;
        self.count = GROUPS_MAX.min(self.count + 1);
        let known = &self.runs[GROUPS_MAX - self.count..];
        PRINTED.iter().any(|printed| {
            let start = known.len().checked_sub(printed.len());
            start.is_some_and(|start| is_card(text, &known[start..], printed))
        })
    }
}

fn is_card(text: &str, runs: &[Range<usize>], printed: &[usize]) -> bool {
    if !runs.iter().map(Range::len).eq(printed.iter().copied()) {
        return false;
    }
    let mut digits = [0; issuer::DIGITS_MAX];
    let mut count = 0;
    for run in runs {
        digits[count..count + run.len()].copy_from_slice(&text.as_bytes()[run.clone()]);
        count += run.len();
    }
    let whole = runs[0].start..runs[runs.len() - 1].end;
    issuer::is_card(&digits[..count])
        && !has_decimal_point(text, runs)
        && !identifier::covers(text, &whole)
}

/// A point or comma right between digits is a decimal one, unless all gaps are the same.
fn has_decimal_point(text: &str, runs: &[Range<usize>]) -> bool {
    let first = &text[runs[0].end..runs[1].start];
    let gaps = || {
        runs.windows(2)
            .map(|pair| &text[pair[0].end..pair[1].start])
    };
    gaps().any(|gap| matches!(gap, "." | ",")) && gaps().any(|gap| gap != first)
}

/// White space as spreadsheets, mails and forms have it, with at most one mark within: ` - `, a tab, a slash.
fn is_gap(text: &str) -> bool {
    let mut marks = text.chars().filter(|c| !is_blank(*c));
    let mark = marks.next();
    !text.is_empty() && mark.is_none_or(|c| !c.is_alphanumeric()) && marks.next().is_none()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_invisible(c)
}

/// Format characters without a width: soft hyphens, marks of direction, byte order marks.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
