//! Which objects of the journal are meant: all, or those of some hours.
//!
//! Each object is of one moment: of the hour in its key where that starts as the tiers make it (`PREFIX dt=…/hh=…/`),
//! otherwise of when S3 stored it. So ranges that follow each other cover, together, what a run without a range covers.
//! An audit and a replay list the whole prefix, and a range says what they look into.

mod keys;

use payment_core::Timestamp;
use payment_core::chain::checker::Window;
use payment_store::audit::KeySpan;
use program::Env;
use time::{Duration, OffsetDateTime};

pub use self::keys::{days, hour_of, is_day};
use self::keys::{last_before, successor};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::Args)]
pub struct Range {
    /// First moment: a date, or a time such as 2026-11-22T07:00:00Z [default: the log's begin]
    #[arg(long, value_name = "TIME", value_parser = parse_from)]
    pub from: Option<Timestamp>,
    /// Moment to stop before; a date counts whole [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_to)]
    pub to: Option<Timestamp>,
}

/// A part of the keys, to be gone through in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What S3 is asked for. Nothing where no object is looked for, and what the ledger has is to be explained.
    pub list: Option<String>,
    pub span: KeySpan,
}

/// Whether the objects of a key are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    Inside,
    Outside,
    /// S3 alone knows.
    ByTime,
}

impl Range {
    /// The last hours, up to `now`.
    pub fn last(hours: u16, now: Timestamp) -> Self {
        Self {
            from: Some(moved(now, -Duration::hours(hours.into()))),
            to: None,
        }
    }

    /// Whether it names anything, as seen at `now`.
    pub fn check(&self, now: Timestamp) -> Result<(), String> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return Err(format!("--from {from} is not before --to {to}"));
        }
        match self.from {
            Some(from) if from > now => Err(format!("--from {from} is in the future")),
            _ => Ok(()),
        }
    }

    /// [`check`](Self::check) as of now, together with the environment's own mistakes.
    pub fn note_mistakes(&self, env: &mut Env) {
        let now = Timestamp::new(OffsetDateTime::now_utc());
        if let Err(mistake) = self.check(now) {
            env.mistake(mistake);
        }
    }

    /// The hours that it touches, whole.
    pub fn hours(&self) -> Window {
        let last = Duration::HOUR - Duration::MICROSECOND;
        Window {
            from: self.from.map(begin_of_hour),
            to: self.to.map(|to| begin_of_hour(moved(to, last))),
        }
    }

    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// All that is under the prefix. Objects of the range may have any key.
    pub fn whole(prefix: &str) -> Segment {
        Segment {
            list: Some(prefix.to_owned()),
            span: KeySpan {
                after: last_before(prefix),
                before: successor(prefix),
            },
        }
    }

    /// All that is under the prefix and in no day's folder.
    pub fn beside_days(prefix: &str) -> Vec<Segment> {
        let Segment { list, span } = Self::whole(prefix);
        let days = days(prefix);
        let after = successor(&days).map_or_else(|| days.clone(), |next| last_before(&next));
        let spans = [
            KeySpan {
                after: span.after,
                before: Some(days),
            },
            KeySpan {
                after,
                before: span.before,
            },
        ];
        let segment = |span| Segment {
            list: list.clone(),
            span,
        };
        spans.map(segment).into()
    }

    /// What the ledger may have besides: entries of objects outside the prefix.
    pub fn strays(prefix: &str) -> Vec<Segment> {
        let unlisted = |after: String, before| Segment {
            list: None,
            span: KeySpan { after, before },
        };
        let before = unlisted(String::new(), Some(prefix.to_owned()));
        let after = successor(prefix).map(|end| unlisted(last_before(&end), None));
        std::iter::once(before)
            .filter(|_| !prefix.is_empty())
            .chain(after)
            .collect()
    }

    pub fn membership(&self, prefix: &str, key: &str) -> Membership {
        if self.is_all() {
            return Membership::Inside;
        }
        let Some(begin) = hour_of(prefix, key) else {
            return Membership::ByTime;
        };
        let is_over = |from| moved(begin, Duration::HOUR) <= from;
        if self.from.is_some_and(is_over) || self.to.is_some_and(|to| to <= begin) {
            Membership::Outside
        } else {
            Membership::Inside
        }
    }

    /// Whether the object of this key, stored then, is meant.
    pub fn holds(&self, prefix: &str, key: &str, stored_at: Timestamp) -> bool {
        match self.membership(prefix, key) {
            Membership::Inside => true,
            Membership::Outside => false,
            Membership::ByTime => self.contains(stored_at),
        }
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

pub fn begin_of_hour(at: Timestamp) -> Timestamp {
    Timestamp::new(at.to_utc().truncate_to_hour())
}

pub fn moved(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::new(at.to_utc().saturating_add(by))
}

pub fn parse_from(text: &str) -> Result<Timestamp, &'static str> {
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

    fn range(from: &str, to: &str) -> Range {
        Range {
            from: (!from.is_empty()).then(|| parse_from(from).unwrap()),
            to: (!to.is_empty()).then(|| parse_to(to).unwrap()),
        }
    }

    fn membership(range: Range, key: &str) -> Membership {
        range.membership("t/", key)
    }

    #[test]
    fn hours_are_taken_whole_and_a_date_counts_whole() {
        let range = range("2026-11-22T07:30:00+01:00", "2026-11-22");
        for (key, expected) in [
            ("t/dt=2026-11-22/hh=05/x", Membership::Outside),
            ("t/dt=2026-11-22/hh=06/x", Membership::Inside),
            ("t/dt=2026-11-22/hh=23/x", Membership::Inside),
            ("t/dt=2026-11-23/hh=00/x", Membership::Outside),
            ("t/dt=2026-11-22/hh=07x/x", Membership::ByTime),
            ("t/dt=2026-11-22/hh=24/x", Membership::ByTime),
            ("t/dt=2026-11-31/hh=00/x", Membership::ByTime),
            ("t/dt=2026-11-22/x", Membership::ByTime),
            ("t/dt=march/x", Membership::ByTime),
            ("t/a.json", Membership::ByTime),
            ("t/region=eu/dt=2026-11-22/hh=07/x", Membership::ByTime),
            ("elsewhere/x", Membership::ByTime),
        ] {
            assert_eq!(membership(range, key), expected, "{key}");
        }
        assert!(!range.contains(parse_from("2026-11-23").unwrap()));
    }

    #[test]
    fn an_open_end_goes_on_to_the_last_hour() {
        let range = range("2026-11-22", "");
        assert_eq!(
            membership(range, "t/dt=9999-12-31/hh=23/x"),
            Membership::Inside
        );
        assert_eq!(
            membership(range, "t/dt=2026-11-21/hh=23/x"),
            Membership::Outside
        );
    }

    #[test]
    fn p2_ranges_that_follow_each_other_leave_no_key_out() {
        let ranges = [
            range("", "2026-11-21T10:00:00Z"),
            range("2026-11-21T10:00:00Z", "2026-11-22T00:00:00Z"),
            range("2026-11-22T00:00:00Z", "2026-11-22"),
            range("2026-11-23", ""),
        ];
        let stored_at = parse_from("2026-11-21T09:59:59Z").unwrap();
        for key in [
            "t/dt=",
            "t/dt=2026-11-21/hh=09/",
            "t/dt=2026-11-21/hh=09/x",
            "t/dt=2026-11-21/hh=10/x",
            "t/dt=2026-11-22",
            "t/dt=2026-11-22/hh=00/x",
            "t/dt=2026-11-22/hh=99/x",
            "t/dt=9999-12-31/hh=23/x",
            "t/dt=nonsense",
            "t/a.json",
            "t/region=eu/x",
        ] {
            let holding = ranges
                .iter()
                .filter(|range| range.holds("t/", key, stored_at));
            assert_eq!(holding.count(), 1, "{key}");
        }
    }

    /// What S3 and the database are asked for.
    #[test]
    fn p2_every_key_lies_in_one_segment() {
        for key in [
            "t/",
            "t/a.json",
            "t/dt=2026-11-22/hh=00/x",
            "t/dt=march/x",
            "t/region=eu/x",
            "s",
            "t",
            "u",
            "t0",
            "t0/x",
            "\u{10FFFF}x",
        ] {
            let segments = [vec![Range::whole("t/")], Range::strays("t/")].concat();
            let holding = segments.iter().filter(|segment| segment.span.contains(key));
            assert_eq!(holding.count(), 1, "{key}");
        }
    }

    /// The folders of the days are listed one by one.
    #[test]
    fn p2_every_key_lies_in_a_segment_or_among_the_days() {
        for key in [
            "t/",
            "t/a.json",
            "t/dt",
            "t/dt=",
            "t/dt=2026-11-22/hh=00/x",
            "t/dt=0/x",
            "t/dt=march/x",
            "t/dt>/x",
            "t/region=eu/x",
        ] {
            let segments = [Range::beside_days("t/"), vec![Range::whole("t/dt=")]].concat();
            let holding = segments.iter().filter(|segment| segment.span.contains(key));
            assert_eq!(holding.count(), 1, "{key}");
        }
    }

    #[test]
    fn a_range_that_names_nothing_is_refused() {
        let now = parse_from("2026-11-22T12:00:00Z").unwrap();
        for (from, to, is_right) in [
            ("", "", true),
            ("2026-11-22", "2026-11-22", true),
            ("2026-11-21", "9000-01-01", true),
            ("2026-11-22T07:00:00Z", "2026-11-22T07:00:00Z", false),
            ("2026-11-22", "2026-11-20", false),
            ("2026-11-23", "", false),
        ] {
            assert_eq!(range(from, to).check(now).is_ok(), is_right, "{from} {to}");
        }
        assert!(parse_from("yesterday").is_err());
    }
}
