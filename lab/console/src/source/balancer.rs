//! A load balancer's statistics: its listener, and its target groups with the health of each target.

use std::collections::BTreeMap;

use lab_runner::http::{CallError, Client};
use lab_runner::lab::Lab;
use lab_runner::part::{PartName, haproxy::STATS_PATH};
use serde::Deserialize;

use super::Away;

/// A snapshot of a load balancer; counts are since its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Balancer {
    pub requests: u64,
    pub requests_per_second: u64,
    pub connections: u64,
    /// Each node's view of its targets: one node without a VPC, two in one.
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub name: String,
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    pub name: String,
    pub healthy: bool,
    /// Result of the last health check, such as `200` or `Connection refused`.
    pub check: String,
    pub check_ms: u64,
    /// Seconds since its health changed.
    pub seconds: u64,
    pub requests: u64,
    pub requests_per_second: u64,
    pub failed: u64,
    pub in_flight: u64,
}

/// A field of a line of the statistics.
#[derive(Deserialize)]
struct Entry {
    field: Field,
    value: Typed,
}

#[derive(Deserialize)]
struct Field {
    name: String,
}

#[derive(Deserialize)]
struct Typed {
    value: serde_json::Value,
}

/// A line: a listener, a target, or a sum.
struct Line(BTreeMap<String, serde_json::Value>);

impl Balancer {
    pub async fn of(part: PartName, http: &Client, lab: &Lab) -> Result<Self, Away> {
        let url = format!("{}{STATS_PATH};json", lab.url(part));
        let answer = http.get(&url).await?;
        let lines = serde_json::from_str(&answer.body).map_err(CallError::Json)?;
        Ok(Self::read(lines))
    }

    fn read(lines: Vec<Vec<Entry>>) -> Self {
        let mut balancer = Self::default();
        for entries in lines {
            let fields = entries.into_iter();
            let line = Line(
                fields
                    .map(|entry| (entry.field.name, entry.value.value))
                    .collect(),
            );
            match line.text("svname") {
                "FRONTEND" => {
                    balancer.requests += line.number("req_tot");
                    balancer.requests_per_second += line.number("req_rate");
                    balancer.connections += line.number("scur");
                }
                "BACKEND" => {}
                target => balancer.add(target, &line),
            }
        }
        balancer
    }

    fn add(&mut self, name: &str, line: &Line) {
        let group = line.text("pxname");
        let place = self.groups.iter().position(|known| known.name == group);
        let place = place.unwrap_or_else(|| {
            self.groups.push(Group {
                name: group.to_owned(),
                ..Group::default()
            });
            self.groups.len() - 1
        });
        let targets = &mut self.groups[place].targets;
        // Each target is listed a second time, for use when none is healthy.
        let known = name.strip_suffix("-open");
        let found = known.and_then(|name| targets.iter_mut().find(|target| target.name == name));
        if let Some(target) = found {
            target.count(line);
            return;
        }
        let mut target = Target {
            name: name.to_owned(),
            healthy: line.text("status").starts_with("UP"),
            check: line.check(),
            check_ms: line.number("check_duration"),
            seconds: line.number("lastchg"),
            ..Target::default()
        };
        target.count(line);
        targets.push(target);
    }
}

impl Target {
    fn count(&mut self, line: &Line) {
        self.requests += line.number("req_tot");
        self.requests_per_second += line.number("rate");
        self.failed += line.number("hrsp_5xx") + line.number("econ") + line.number("eresp");
        self.in_flight += line.number("scur");
    }
}

impl Group {
    /// Whether no target is healthy, so that all get traffic, as behind an ALB.
    pub fn fails_open(&self) -> bool {
        !self.targets.iter().any(|target| target.healthy)
    }
}

impl Line {
    fn text(&self, name: &str) -> &str {
        let value = self.0.get(name);
        value
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        let value = self.0.get(name);
        value
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default()
    }

    fn check(&self) -> String {
        match (self.number("check_code"), self.text("last_chk")) {
            (0, "") => match self.text("check_status") {
                "L4TOUT" | "L7TOUT" => "no answer in time".to_owned(),
                "INI" | "" => "not checked yet".to_owned(),
                other => other.to_owned(),
            },
            (0, said) => said.to_owned(),
            (code, _) => code.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(fields: Value) -> Value {
        let Value::Object(fields) = fields else {
            panic!("an object")
        };
        let entry = |(name, value)| json!({"field": {"pos": 0, "name": name}, "value": {"type": "", "value": value}});
        fields.into_iter().map(entry).collect()
    }

    #[test]
    fn a_targets_requests_are_those_with_and_without_a_check() {
        let lines = json!([
            line(
                json!({"pxname": "alb", "svname": "FRONTEND", "req_tot": 12, "req_rate": 4, "scur": 1})
            ),
            line(
                json!({"pxname": "targets", "svname": "web-a", "status": "DOWN", "check_status": "L4CON",
                        "last_chk": "Connection refused", "lastchg": 3, "req_tot": 5, "hrsp_5xx": 1})
            ),
            line(
                json!({"pxname": "targets", "svname": "web-a-open", "status": "no check", "req_tot": 2})
            ),
            line(
                json!({"pxname": "targets", "svname": "web-b", "status": "UP", "check_status": "L7OK",
                        "check_code": 200, "check_duration": 1, "req_tot": 5, "rate": 4})
            ),
            line(json!({"pxname": "targets", "svname": "BACKEND", "req_tot": 12})),
        ]);
        let balancer = Balancer::read(serde_json::from_value(lines).unwrap());
        assert_eq!((balancer.requests, balancer.requests_per_second), (12, 4));
        let [group] = &balancer.groups[..] else {
            panic!("{balancer:?}")
        };
        assert!(!group.fails_open());
        let [a, b] = &group.targets[..] else {
            panic!("{group:?}")
        };
        assert_eq!((a.requests, a.failed, a.healthy), (7, 1, false));
        assert_eq!((a.check.as_str(), a.seconds), ("Connection refused", 3));
        assert_eq!((b.requests, b.healthy, b.check.as_str()), (5, true, "200"));
    }
}
