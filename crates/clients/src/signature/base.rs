//! The signature base: the text that is signed (RFC 9421, section 2.5).

use std::collections::HashSet;
use std::fmt::Write as _;

use http::HeaderMap;
use http::header::{HOST, HeaderName};
use sfv::{InnerList, ListEntry, ListSerializer};

use super::Message;

/// The base of a signature that covers these components. `None` if one of them is absent, stands there twice, or can't
/// be known here: TLS ends at the load balancer, and so neither scheme nor target URI are.
pub(super) fn of(message: &Message<'_>, covered: &InnerList) -> Option<String> {
    let mut base = String::with_capacity(512);
    let mut seen = HashSet::new();
    for item in &covered.items {
        let name = item.bare_item.as_string()?.as_str();
        // Parameters change what a component means.
        if !item.params.is_empty() || !seen.insert(name) {
            return None;
        }
        let value = component(message, name)?;
        // Writing to a String can't fail.
        let _ = writeln!(base, "\"{name}\": {value}");
    }
    let _ = write!(base, "\"@signature-params\": {}", parameters(covered)?);
    Some(base)
}

fn component(message: &Message<'_>, name: &str) -> Option<String> {
    match name {
        "@method" => Some(message.method.as_str().to_owned()),
        "@path" => Some(message.uri.path().to_owned()),
        "@query" => Some(format!("?{}", message.uri.query().unwrap_or_default())),
        "@authority" => Some(joined(message.headers, &HOST)?.to_ascii_lowercase()),
        _ => field(message.headers, name),
    }
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    // A component's name is in lower case, or it is another text than the one that was signed.
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    is_lower.then(|| joined(headers, &name)).flatten()
}

/// The inner list as it stands in the base, and in Signature-Input.
pub(super) fn parameters(covered: &InnerList) -> Option<String> {
    let mut serializer = ListSerializer::new();
    serializer.members([&ListEntry::InnerList(covered.clone())]);
    serializer.finish()
}

/// All values of a header as one. `None` if it is absent or not text.
pub(crate) fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter();
    let values: Option<Vec<_>> = values
        .map(|value| value.to_str().ok().map(str::trim))
        .collect();
    values
        .filter(|values| !values.is_empty())
        .map(|values| values.join(", "))
}
