//! Message attributes: validation, MD5 digest, and selection of those that a receiver asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};

use super::error::ApiError;
use crate::store::{Attribute, Attributes};

const ATTRIBUTES_MAX: usize = 10;

/// Validates attributes; returns the bytes of their names, types and values, which count towards the message size.
pub fn check(attributes: &Attributes) -> Result<usize, ApiError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(invalid(
            attributes.len().to_string(),
            "At most 10 are allowed.",
        ));
    }
    let mut bytes = 0;
    for (name, attribute) in attributes {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.is_empty() || name.len() > 256 || !name.bytes().all(plain) {
            return Err(invalid(
                name.clone(),
                "A name has 1 to 256 letters, digits, `_`, `-` and `.`.",
            ));
        }
        let value = value(attribute).ok_or_else(|| {
            invalid(
                name.clone(),
                "It needs a data type of String, Number or Binary and a value of that type that is not empty.",
            )
        })?;
        bytes += name.len() + attribute.data_type.len() + value.1.len();
    }
    Ok(bytes)
}

/// Returns SQS's digest: over each attribute's name, type and value, each preceded by its length, the value also by its
/// transport type.
pub fn md5(attributes: &Attributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut text = Vec::new();
    for (name, attribute) in attributes {
        let (transport, bytes) = value(attribute)?;
        append(&mut text, name.as_bytes());
        append(&mut text, attribute.data_type.as_bytes());
        text.push(transport);
        append(&mut text, &bytes);
    }
    Some(hex::encode(Md5::digest(text)))
}

fn append(text: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    text.extend_from_slice(&length.to_be_bytes());
    text.extend_from_slice(part);
}

/// Returns the attributes that `wanted` selects: full names, `prefix.*`, `All` or `.*`.
pub fn select(attributes: &Attributes, wanted: &[String]) -> Attributes {
    let is_wanted = |name: &str| {
        wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == "All" || wanted == name,
        })
    };
    let selected = attributes.iter().filter(|(name, _)| is_wanted(name));
    selected
        .map(|(name, attribute)| (name.clone(), attribute.clone()))
        .collect()
}

/// Returns the value's transport type and bytes; `None` if the value does not match its data type.
fn value(attribute: &Attribute) -> Option<(u8, Vec<u8>)> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let (transport, bytes) = match kind {
        "String" | "Number" => (1, attribute.string_value.as_ref()?.clone().into_bytes()),
        "Binary" => (2, BASE64.decode(attribute.binary_value.as_ref()?).ok()?),
        _ => return None,
    };
    (!bytes.is_empty()).then_some((transport, bytes))
}

fn invalid(value: String, reason: &'static str) -> ApiError {
    ApiError::InvalidParameterValue {
        parameter: "MessageAttributes",
        value,
        reason,
    }
}
