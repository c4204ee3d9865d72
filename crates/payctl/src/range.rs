//! Which objects of the log are meant: all, or those of some hours.

use payment_core::{ObjectKey, Timestamp};
use payment_store::audit::KeySpan;
use time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::Args)]
pub struct Range {
    /// First moment: a date, or a time such as 2026-11-22T07:00:00Z [default: the log's begin]
    #[arg(long, value_name = "TIME", value_parser = parse_from)]
    pub from: Option<Timestamp>,
    /// Moment to stop before; a date counts whole [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_to)]
    pub to: Option<Timestamp>,
}

/// A part of the bucket's keys that is listed in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What S3 is asked for.
    pub list: String,
    pub span: KeySpan,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything under the prefix.
    All,
    /// Batches: their hour stands in the key.
    Hours,
    /// Objects right under the prefix, by when S3 stored them.
    Singles(Range),
}

impl Range {
    /// The last hours, up to `now`.
    pub fn last(hours: u16, now: Timestamp) -> Self {
        Self {
            from: Some(moved(now, -Duration::hours(hours.into()))),
            to: None,
        }
    }

    pub fn segments(&self, prefix: &str) -> Vec<Segment> {
        if *self == Self::default() {
            let span = KeySpan {
                after: prefix.to_owned(),
                before: successor(prefix),
            };
            return vec![Segment {
                list: prefix.to_owned(),
                span,
                kind: Kind::All,
            }];
        }
        let singles = Segment {
            list: prefix.to_owned(),
            span: KeySpan {
                after: prefix.to_owned(),
                before: successor(prefix),
            },
            kind: Kind::Singles(*self),
        };
        vec![self.hours(prefix), singles]
    }

    /// The keys whose rows can be counted by the key alone: all, or the hours.
    pub fn countable(&self, prefix: &str) -> KeySpan {
        self.segments(prefix).swap_remove(0).span
    }

    fn hours(&self, prefix: &str) -> Segment {
        let days = format!("{prefix}dt=");
        let hour_after = |to: Timestamp| {
            let last = moved(to, -Duration::MICROSECOND);
            ObjectKey::hour_prefix(prefix, moved(last, Duration::HOUR))
        };
        let span = KeySpan {
            after: self
                .from
                .map_or_else(|| days.clone(), |from| ObjectKey::hour_prefix(prefix, from)),
            before: self.to.map(hour_after).or_else(|| successor(&days)),
        };
        Segment {
            list: days,
            span,
            kind: Kind::Hours,
        }
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

impl Segment {
    /// Whether a key of the span belongs here; S3's listing leaves the others out by itself.
    pub fn holds(&self, key: &str) -> bool {
        match self.kind {
            Kind::All | Kind::Hours => true,
            Kind::Singles(_) => key
                .strip_prefix(&self.list)
                .is_some_and(|name| !name.contains('/')),
        }
    }

    /// Whether an object stored, or ingested, at this moment is meant.
    pub fn is_due(&self, at: Timestamp) -> bool {
        match self.kind {
            Kind::All | Kind::Hours => true,
            Kind::Singles(range) => range.contains(at),
        }
    }
}

/// The first text after all that start with `prefix`; `None` where there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (last..=char::MAX).nth(1);
        if let Some(next) = next {
            return Some(chars.into_iter().chain([next]).collect());
        }
    }
    None
}

pub fn moved(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::new(at.to_utc().saturating_add(by))
}

fn parse_from(text: &str) -> Result<Timestamp, &'static str> {
    parse(text, Duration::ZERO)
}

fn parse_to(text: &str) -> Result<Timestamp, &'static str> {
    parse(text, Duration::DAY)
}

fn parse(text: &str, of_a_date: Duration) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text)
        .or_else(|| Some(moved(Timestamp::parse(&format!("{text}T00:00:00Z"))?, of_a_date)))
        .ok_or("must be a date such as 2026-11-22, or a time with its offset such as 2026-11-22T07:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_taken_whole_and_a_date_counts_whole() {
        let range = Range {
            from: Some(parse_from("2026-11-22T07:30:00+01:00").unwrap()),
            to: Some(parse_to("2026-11-22").unwrap()),
        };
        let [hours, singles] = range.segments("t/").try_into().unwrap();
        assert_eq!(hours.span.after, "t/dt=2026-11-22/hh=06/");
        assert_eq!(hours.span.before.as_deref(), Some("t/dt=2026-11-23/hh=00/"));
        assert!(singles.holds("t/a.json") && !singles.holds("t/dt=2026-11-22/hh=06/a.ndjson"));
        assert!(
            singles.is_due(parse_from("2026-11-22").unwrap())
                == range.contains(parse_from("2026-11-22").unwrap())
        );
        assert!(!range.contains(parse_from("2026-11-23").unwrap()));
    }

    #[test]
    fn an_open_end_goes_on_to_the_last_hour() {
        let range = Range {
            from: Some(parse_from("2026-11-22").unwrap()),
            to: None,
        };
        let span = range.countable("t/");
        assert!(
            span.contains("t/dt=2026-11-22/hh=00/x") && span.contains("t/dt=9999-12-31/hh=23/x")
        );
        assert!(!span.contains("t/dt=2026-11-21/hh=23/x") && !span.contains("t/tx.json"));
    }

    #[test]
    fn without_times_everything_under_the_prefix_is_meant() {
        let [all] = Range::default().segments("t/").try_into().unwrap();
        assert_eq!(all.span.before.as_deref(), Some("t0"));
        assert_eq!(Range::default().countable("").before, None);
        assert!(parse_from("yesterday").is_err());
    }
}
