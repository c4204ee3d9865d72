//! Collects differences between what was found and what is expected.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

/// All differences, each with the place where it is.
#[derive(Debug, Default)]
pub struct Findings(Vec<String>);

impl Findings {
    /// Compares one value.
    pub fn same(&mut self, what: impl fmt::Display, expected: &Value, seen: &Value) {
        if expected != seen {
            self.0
                .push(format!("{what}: {expected} is expected, there is {seen}"));
        }
    }

    /// Compares some members of an object, which may have others.
    pub fn members(&mut self, what: impl fmt::Display, expected: &Value, seen: &Value) {
        for (name, expected) in expected.as_object().into_iter().flatten() {
            self.same(format!("{what}, {name}"), expected, &seen[name]);
        }
    }

    /// Compares a set, each of its members as text.
    pub fn same_set(
        &mut self,
        what: impl fmt::Display,
        expected: impl IntoIterator<Item = impl Into<String>>,
        seen: impl IntoIterator<Item = impl Into<String>>,
    ) {
        let [expected, seen]: [BTreeSet<String>; 2] = [
            expected.into_iter().map(Into::into).collect(),
            seen.into_iter().map(Into::into).collect(),
        ];
        for missing in expected.difference(&seen) {
            self.0.push(format!("{what}: there is no {missing}"));
        }
        for extra in seen.difference(&expected) {
            self.0.push(format!("{what}: {extra} must not be"));
        }
    }

    pub fn all(self) -> Vec<String> {
        self.0
    }
}

/// Returns the members of a JSON list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a string, or any other value as JSON.
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the value of the tag Name.
pub fn name(thing: &Value) -> String {
    let tags = list(&thing["Tags"]).iter();
    let mut names = tags.filter(|tag| tag["Key"] == "Name");
    names
        .next()
        .map_or_else(String::new, |tag| text(&tag["Value"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Findings;

    #[test]
    fn what_is_missing_too_much_and_different_is_named() {
        let mut findings = Findings::default();
        findings.same_set("groups", ["a", "b"], ["b", "c"]);
        findings.members(
            "db",
            &json!({"MultiAZ": true, "Port": 3306}),
            &json!({"MultiAZ": false, "Port": 3306}),
        );
        assert_eq!(
            findings.all(),
            [
                "groups: there is no a",
                "groups: c must not be",
                "db, MultiAZ: true is expected, there is false",
            ]
        );
    }
}
