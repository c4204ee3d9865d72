//! The parts, as seen by the supervisor and by the console's own health checks.

use std::collections::BTreeMap;
use std::time::Duration;

use lab_runner::part::PartName;
use lab_runner::state::status::{PartState, PartStatus};
use time::OffsetDateTime;

use super::event::Severity;
use crate::source::pulse::Answer;
use crate::text;

/// Failed checks before a part counts as unhealthy: one late answer on a busy machine does not.
const LOOKS_TO_BE_UNHEALTHY: u32 = 2;

/// A part's state, for people.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: PartName,
    pub state: WatchedState,
    pub pid: Option<i32>,
    /// Why it is not healthy, or how it last died.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WatchedState {
    /// The supervisor's view, unless the part contradicts it.
    Known(PartState),
    /// Its process runs but does not answer.
    Stalled,
}

impl WatchedState {
    pub fn is_healthy(self) -> bool {
        self == Self::Known(PartState::Healthy)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known(state) => state.as_str(),
            Self::Stalled => "stalled",
        }
    }
}

/// All parts, from poll to poll.
#[derive(Debug, Default)]
pub(super) struct Parts {
    known: Vec<PartStatus>,
    unhealthy: BTreeMap<PartName, Unhealthy>,
}

/// A part that fails the console's own health check.
#[derive(Debug)]
struct Unhealthy {
    since: OffsetDateTime,
    looks: u32,
    last: Answer,
}

impl Parts {
    /// Applies a snapshot, and returns what is new in it.
    pub(super) fn take(
        &mut self,
        at: OffsetDateTime,
        known: Option<Vec<PartStatus>>,
        answers: Vec<(PartName, Answer)>,
    ) -> Vec<(Severity, String)> {
        let mut news = Vec::new();
        if let Some(known) = known {
            news.extend(known.iter().filter_map(|part| self.news_of(part)));
            self.known = known;
        }
        for (part, answer) in answers {
            let was_stalled = self.is_stalled(part);
            self.note(part, at, answer);
            match (was_stalled, self.is_stalled(part)) {
                (false, true) => news.push((Severity::Bad, format!("{part} does not answer"))),
                (true, false) if !self.unhealthy.contains_key(&part) => {
                    news.push((Severity::Good, format!("{part} answers again")));
                }
                _ => {}
            }
        }
        news
    }

    pub(super) fn all(&self, now: OffsetDateTime) -> Vec<Part> {
        self.known
            .iter()
            .map(|part| self.judged(part, now))
            .collect()
    }

    fn note(&mut self, part: PartName, at: OffsetDateTime, answer: Answer) {
        if answer == Answer::Well {
            self.unhealthy.remove(&part);
            return;
        }
        let unhealthy = self.unhealthy.entry(part).or_insert(Unhealthy {
            since: at,
            looks: 0,
            last: Answer::Well,
        });
        unhealthy.looks += 1;
        unhealthy.last = answer;
    }

    fn unhealthy(&self, part: PartName) -> Option<&Unhealthy> {
        let unhealthy = self.unhealthy.get(&part);
        unhealthy.filter(|unhealthy| unhealthy.looks >= LOOKS_TO_BE_UNHEALTHY)
    }

    fn is_stalled(&self, part: PartName) -> bool {
        let unhealthy = self.unhealthy(part);
        let runs = |known: &PartStatus| known.part == part && known.pid.is_some();
        unhealthy.is_some_and(|unhealthy| unhealthy.last == Answer::Silent)
            && self.known.iter().any(runs)
    }

    /// A part is healthy if both the supervisor and the console find it so.
    fn judged(&self, known: &PartStatus, now: OffsetDateTime) -> Part {
        let (mut state, mut detail) = (WatchedState::Known(known.state), known.detail.clone());
        match self.unhealthy(known.part) {
            Some(unhealthy) if self.is_stalled(known.part) => {
                let silent = Duration::try_from(now - unhealthy.since).unwrap_or_default();
                state = WatchedState::Stalled;
                detail = Some(format!("no answer for {}", text::seconds(silent)));
            }
            Some(Unhealthy {
                last: Answer::Ill(why),
                ..
            }) if state.is_healthy() => {
                state = WatchedState::Known(PartState::Unhealthy);
                detail = Some(why.clone());
            }
            _ => {}
        }
        Part {
            name: known.part,
            state,
            pid: known.pid,
            detail,
        }
    }

    fn news_of(&self, part: &PartStatus) -> Option<(Severity, String)> {
        let before = self.known.iter().find(|known| known.part == part.part)?;
        let news = part.news_since(before)?;
        let severity = match part.state {
            PartState::Healthy if !news.starts_with("died") => Severity::Good,
            PartState::Starting => Severity::Plain,
            _ => Severity::Bad,
        };
        Some((severity, format!("{} {news}", part.part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Vec<PartStatus> {
        let status = serde_json::json!([{
            "part": "web-a", "pid": 42, "addr": "127.0.0.1:3001", "state": "healthy", "about": "web-tier",
            "start_time": 1, "deaths": 0, "ready_ms": 40, "detail": null,
        }]);
        serde_json::from_value(status).unwrap()
    }

    fn seconds(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
    }

    /// Applies such an answer each second, then returns the state and its detail.
    fn after(answers: &[Answer]) -> (&'static str, Option<String>) {
        let mut parts = Parts::default();
        let mut now = seconds(0);
        for answer in answers {
            let answers = vec![(PartName::WebA, answer.clone())];
            parts.take(now, Some(healthy()), answers);
            now += time::Duration::SECOND;
        }
        let part = parts.all(now).remove(0);
        (part.state.as_str(), part.detail)
    }

    #[test]
    fn a_silent_part_is_stalled_whatever_the_supervisor_says() {
        let silent = || Answer::Silent;
        assert_eq!(after(&[silent()]), ("healthy", None));
        let stalled = ("stalled", Some("no answer for 2 s".to_owned()));
        assert_eq!(after(&[silent(), silent()]), stalled);
        assert_eq!(
            after(&[silent(), silent(), Answer::Well]),
            ("healthy", None)
        );
        let refused = Answer::Ill("refused".to_owned());
        let unhealthy = ("unhealthy", Some("refused".to_owned()));
        assert_eq!(after(&[refused.clone(), refused]), unhealthy);
    }

    #[test]
    fn a_stall_and_its_end_are_told_once() {
        let mut parts = Parts::default();
        let mut told = Vec::new();
        for answer in [
            Answer::Silent,
            Answer::Silent,
            Answer::Silent,
            Answer::Well,
            Answer::Well,
        ] {
            let answers = vec![(PartName::WebA, answer)];
            told.extend(parts.take(seconds(0), Some(healthy()), answers));
        }
        let told: Vec<_> = told.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(told, ["web-a does not answer", "web-a answers again"]);
    }
}
