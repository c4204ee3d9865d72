//! A tier's Prometheus metrics.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use lab_runner::http::Client;

use super::Away;

/// Counts since the tier started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub answers: u64,
    /// Answers with a 5xx.
    pub failed: u64,
    pub accepted: u64,
    pub puts: u64,
    pub in_flight: u64,
    pub connections: u64,
    /// Answers by duration, counted up to each bucket's bound.
    pub times: BTreeMap<Bound, u64>,
}

/// The upper bound of a bucket in microseconds; the last bucket has none.
pub type Bound = Option<u64>;

impl Figures {
    /// Requests the metrics of the tier at this address.
    pub async fn of(http: &Client, address: SocketAddr) -> Result<Self, Away> {
        let url = format!("http://{address}/metrics");
        Ok(Self::read(&http.get(&url).await?.body))
    }

    fn read(text: &str) -> Self {
        let mut figures = Self::default();
        for sample in text.lines().filter_map(Sample::read) {
            let to = match sample.name {
                "payments_http_requests_total" => {
                    if sample.label.is_some_and(|status| status.starts_with('5')) {
                        figures.failed += sample.value;
                    }
                    &mut figures.answers
                }
                "payments_accepted_total" => &mut figures.accepted,
                "payments_put_duration_seconds_count" => &mut figures.puts,
                "payments_http_requests_in_flight" => &mut figures.in_flight,
                "payments_connections" => &mut figures.connections,
                "payments_http_request_duration_seconds_bucket" => {
                    let bound = sample.label.and_then(microseconds);
                    figures.times.entry(bound).or_default()
                }
                _ => continue,
            };
            *to += sample.value;
        }
        figures
    }
}

/// One line: a name, the value of its only label if it has one, and a number.
struct Sample<'a> {
    name: &'a str,
    label: Option<&'a str>,
    value: u64,
}

impl<'a> Sample<'a> {
    /// Returns `None` for comments and for fractions, which are sums of seconds.
    fn read(line: &'a str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, label) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.split('"').nth(1)),
            None => (series, None),
        };
        let value = value.parse().ok()?;
        Some(Self { name, label, value })
    }
}

/// `+Inf` has no bound.
fn microseconds(seconds: &str) -> Bound {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    Some(whole * 1_000_000 + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_tier_is_read() {
        let text = "\
# TYPE payments_http_requests counter
payments_http_requests_total{status=\"202\"} 40
payments_http_requests_total{status=\"503\"} 2
payments_http_requests_in_flight 3
payments_http_request_duration_seconds_sum 1.25
payments_http_request_duration_seconds_count 42
payments_http_request_duration_seconds_bucket{le=\"0.0025\"} 10
payments_http_request_duration_seconds_bucket{le=\"1.0\"} 41
payments_http_request_duration_seconds_bucket{le=\"+Inf\"} 42
payments_accepted_total 39
# EOF
";
        let figures = Figures::read(text);
        let times = [(None, 42), (Some(2_500), 10), (Some(1_000_000), 41)];
        assert_eq!(
            figures,
            Figures {
                answers: 42,
                failed: 2,
                accepted: 39,
                in_flight: 3,
                times: times.into(),
                ..Figures::default()
            }
        );
    }
}
