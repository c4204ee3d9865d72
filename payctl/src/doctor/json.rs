//! Members of what the `aws` command prints. What is absent is empty: the checks then find the fault.

use serde_json::Value;

/// The member at a path such as `Endpoint.Port`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Also where AWS writes the number as text.
pub fn number(value: &Value, path: &str) -> Option<i64> {
    let member = at(value, path)?;
    member
        .as_i64()
        .or_else(|| member.as_str().and_then(|text| text.parse().ok()))
}

pub fn is_true(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool) == Some(true)
}

/// The members of a list; none if there is no list.
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    let list = at(value, path).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// A list's members that are texts.
pub fn texts<'a>(value: &'a Value, path: &str) -> Vec<&'a str> {
    list(value, path).iter().filter_map(Value::as_str).collect()
}

/// The tag `Name` of a thing of EC2.
pub fn name(value: &Value) -> &str {
    let tags = list(value, "Tags").iter();
    tags.filter(|tag| text(tag, "Key") == "Name")
        .map(|tag| text(tag, "Value"))
        .next()
        .unwrap_or_default()
}
