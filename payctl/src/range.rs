//! Which objects of the journal are meant: all, or those of some hours.
//!
//! Each object is of one moment: of the hour in its key where that starts as the tiers make it (`PREFIX dt=…/hh=…/`),
//! otherwise of when S3 stored it. So ranges that follow each other cover, together, what a run without a range covers.

mod keys;

use payment_core::Timestamp;
use payment_store::audit::KeySpan;
use program::Env;
use time::{Duration, OffsetDateTime};

use self::keys::{days, first_key, last_before, successor};

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
    /// Its objects are meant by when S3 stored them; nothing where all are meant.
    pub times: Option<Range>,
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

    /// [`check`](Self::check) as of now, beside the environment's own mistakes.
    pub fn note_mistakes(&self, env: &mut Env) {
        let now = Timestamp::new(OffsetDateTime::now_utc());
        if let Err(mistake) = self.check(now) {
            env.mistake(mistake);
        }
    }

    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// What is under the prefix.
    pub fn segments(&self, prefix: &str) -> Vec<Segment> {
        let listed = |after: String, before: Option<String>, times| Segment {
            list: Some(prefix.to_owned()),
            span: KeySpan { after, before },
            times,
        };
        let end = successor(prefix);
        if self.is_all() {
            return vec![listed(last_before(prefix), end, None)];
        }
        let (days, hours) = (days(prefix), self.hours(prefix));
        vec![
            listed(last_before(prefix), Some(days.clone()), Some(*self)),
            Segment {
                list: Some(days.clone()),
                span: hours,
                times: None,
            },
            listed(
                successor(&days).map_or_else(|| days.clone(), |next| last_before(&next)),
                end,
                Some(*self),
            ),
        ]
    }

    /// What the ledger may have besides: entries of objects outside the prefix.
    pub fn strays(&self, prefix: &str) -> Vec<Segment> {
        let times = (!self.is_all()).then_some(*self);
        let unlisted = |after: String, before| Segment {
            list: None,
            span: KeySpan { after, before },
            times,
        };
        let before = unlisted(String::new(), Some(prefix.to_owned()));
        let after = successor(prefix).map(|end| unlisted(last_before(&end), None));
        std::iter::once(before)
            .filter(|_| !prefix.is_empty())
            .chain(after)
            .collect()
    }

    pub fn membership(&self, prefix: &str, key: &str) -> Membership {
        if self.is_all() || self.hours(prefix).contains(key) {
            Membership::Inside
        } else if key.starts_with(&days(prefix)) {
            Membership::Outside
        } else {
            Membership::ByTime
        }
    }

    /// Keys that start with a day, by their order: those of an hour lie between its name and the next one's, and what
    /// lies in a day's folder beside its hours belongs to the hour before.
    fn hours(&self, prefix: &str) -> KeySpan {
        let days = days(prefix);
        let end = |to: Timestamp| {
            let last = moved(to, -Duration::MICROSECOND);
            first_key(prefix, moved(last, Duration::HOUR))
        };
        KeySpan {
            after: self.from.map_or_else(
                || last_before(&days),
                |from| last_before(&first_key(prefix, from)),
            ),
            before: self.to.map(end).or_else(|| successor(&days)),
        }
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
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
            ("t/dt=2026-11-22/x", Membership::Inside),
            ("t/dt=2026-11-23/a", Membership::Outside),
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

    /// By key as by span, which S3 and the database are asked for.
    #[test]
    fn p2_ranges_that_follow_each_other_leave_no_key_out() {
        let ranges = [
            range("", "2026-11-21T10:00:00Z"),
            range("2026-11-21T10:00:00Z", "2026-11-22T00:00:00Z"),
            range("2026-11-22T00:00:00Z", "2026-11-22"),
            range("2026-11-23", ""),
        ];
        for key in [
            "t/dt=",
            "t/dt=2",
            "t/dt=2026-11-21/hh=09/",
            "t/dt=2026-11-21/hh=09/x",
            "t/dt=2026-11-21/hh=10/x",
            "t/dt=2026-11-21/hh=10/",
            "t/dt=2026-11-22",
            "t/dt=2026-11-22/",
            "t/dt=2026-11-22/a",
            "t/dt=2026-11-22/hh=00/x",
            "t/dt=2026-11-22/hh=99/x",
            "t/dt=nonsense",
            "t/dt=\u{10FFFE}",
        ] {
            let inside = ranges
                .iter()
                .filter(|range| membership(**range, key) == Membership::Inside);
            assert_eq!(inside.count(), 1, "{key}");
            let spans = ranges.iter().flat_map(|range| range.segments("t/"));
            let holding =
                spans.filter(|segment| segment.times.is_none() && segment.span.contains(key));
            assert_eq!(holding.count(), 1, "{key}");
        }
        for key in [
            "t/",
            "t/a.json",
            "t/dt",
            "t/e",
            "t/region=eu/x",
            "s",
            "t",
            "u",
            "t0",
            "t0/x",
        ] {
            for range in ranges.iter().chain([&Range::default()]) {
                let segments = [range.segments("t/"), range.strays("t/")].concat();
                let holding = segments.iter().filter(|segment| segment.span.contains(key));
                assert_eq!(holding.count(), 1, "{key}");
            }
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
