//! The header Accept: pages are for people, JSON is for programs, and one address may have both.

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether HTML is wanted more than JSON, as browsers say it. Who has no preference gets JSON: a program.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    weight(headers, "text", "html") > weight(headers, "application", "json")
}

/// How much a media type is wanted, from 0 to 1: what the most specific range says of it (RFC 9110, section 12.5.1).
fn weight(headers: &HeaderMap, kind: &str, name: &str) -> f32 {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let weights = ranges
        .flat_map(|ranges| ranges.split(','))
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let specificity = specificity(parts.next()?, kind, name)?;
            let quality =
                parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            Some((
                specificity,
                quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)),
            ))
        });
    let best = weights.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map_or(0.0, |(_, weight)| weight)
}

/// How closely a range names a media type; `None` if it does not.
fn specificity(range: &str, kind: &str, name: &str) -> Option<u8> {
    let (range_kind, range_name) = range.split_once('/')?;
    match (range_kind, range_name) {
        ("*", "*") => Some(0),
        (k, "*") if k.eq_ignore_ascii_case(kind) => Some(1),
        (k, n) if k.eq_ignore_ascii_case(kind) && n.eq_ignore_ascii_case(name) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn prefers(accept: &'static [&'static str]) -> bool {
        let accept = accept
            .iter()
            .map(|value| (ACCEPT, HeaderValue::from_static(value)));
        prefers_html(&accept.collect())
    }

    #[test]
    fn browsers_want_html_and_programs_json() {
        for html in [
            &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"][..],
            &["Text/HTML"],
            &["text/*"],
            &["application/json;q=0.5, text/html;q=0.9"],
            &["application/json;q=0.5", "text/html"],
        ] {
            assert!(prefers(html), "{html:?}");
        }
        for json in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["application/json, text/html"],
            &["application/*, text/html;q=0.2"],
            &["text/html;q=0, */*;q=0.1"],
            &["text/html;q=x"],
        ] {
            assert!(!prefers(json), "{json:?}");
        }
    }
}
