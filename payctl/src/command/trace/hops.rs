//! Moments of one payment, with the time from each to the next.

use payment_core::Timestamp;
use time::Duration;

use crate::output;

#[derive(Debug, Default)]
pub struct Hops(Vec<(&'static str, Timestamp, String)>);

impl Hops {
    /// A moment that nobody can read is left out.
    pub fn add(&mut self, hop: &'static str, at: Option<Timestamp>, place: String) {
        self.0.extend(at.map(|at| (hop, at, place)));
    }

    pub fn table(&self) -> String {
        let heading = ["hop", "time", "ms", "where"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        let mut before = None;
        for (hop, at, place) in &self.0 {
            let since = before.map(|before: Timestamp| at.to_utc() - before.to_utc());
            let since = since.map_or_else(String::new, millis);
            rows.push(vec![
                (*hop).to_owned(),
                at.to_string(),
                since,
                place.clone(),
            ]);
            before = Some(*at);
        }
        output::table(&rows)
    }
}

/// Formats milliseconds to the microsecond; negative if two clocks disagree.
fn millis(time: Duration) -> String {
    let micros = time.whole_microseconds();
    let sign = if micros < 0 { "-" } else { "+" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:03}", micros / 1000, micros % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_between_hops() {
        let at = |text| Some(Timestamp::parse(text).unwrap());
        let mut hops = Hops::default();
        hops.add("accepted", at("2026-11-22T07:30:00.5Z"), "a".into());
        hops.add("stored", at("2026-11-22T07:30:00Z"), "b".into());
        hops.add("row", at("2026-11-22T07:30:01.000042Z"), "c".into());
        let table = hops.table();
        assert!(
            table.contains(" -500.000 ") && table.contains(" +1000.042 "),
            "{table}"
        );
    }
}
