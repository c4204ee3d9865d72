//! Payments come from this server's own pages, or from programs: never from a page of another site, which could make a
//! visitor pay without a press.

use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use http_service::http::Refusal;
use payment_core::ErrorCode;

/// What a browser says of the page that a request comes from. A page can't change it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a browser sends from another site's page, whatever the body is. Programs send neither header.
pub fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_own = match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        // Typed, or from a bookmark: no page asked for it.
        (Some(site), _) => site == "same-origin" || site == "none",
        // Over plain HTTP browsers leave Sec-Fetch-Site out.
        (None, Some(origin)) => headers.get(HOST).is_some_and(|host| names(origin, host)),
        (None, None) => true,
    };
    if is_own {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::NotAllowed,
        "a page of another site sent this; pay on this server's own page, or send no Origin",
    ))
}

/// Whether an origin has this host and port. The scheme does not count: TLS may end at the load balancer.
fn names(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let (Ok(origin), Ok(host)) = (origin.to_str(), host.to_str()) else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(headers: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        refuse_other_sites(&headers.iter().map(pair).collect()).is_err()
    }

    #[test]
    fn only_pages_of_other_sites_are_refused() {
        let host = ("host", "pay.example:8080");
        for own in [
            &[host][..],
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("origin", "http://PAY.example:8080")],
            &[("host", "pay.example"), ("origin", "https://pay.example")],
            &[
                ("host", "pay.example:443"),
                ("origin", "https://pay.example"),
            ],
        ] {
            assert!(!is_refused(own), "{own:?}");
        }
        for other in [
            &[host, ("sec-fetch-site", "cross-site")][..],
            &[
                host,
                ("sec-fetch-site", "same-site"),
                ("origin", "http://pay.example:8080"),
            ],
            &[host, ("origin", "http://evil.example:8080")],
            &[host, ("origin", "http://pay.example")],
            &[host, ("origin", "http://pay.example:8080.evil.example")],
            &[host, ("origin", "null")],
            &[("origin", "http://pay.example:8080")],
        ] {
            assert!(is_refused(other), "{other:?}");
        }
    }
}
