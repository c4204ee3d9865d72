//! Payments come from this server's own pages, or from programs: never from a page of another site, which could make a
//! visitor pay without a press.

use http::HeaderMap;
use http::Method;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN, REFERER};
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

/// Whether a browser says that one of this server's own pages sent this. A program may say so, too: nothing but the pay
/// page's limits stands on it.
pub fn is_own_page(method: &Method, headers: &HeaderMap) -> bool {
    let of_host = |name| {
        let (url, host) = (headers.get(name), headers.get(HOST));
        url.zip(host).is_some_and(|(url, host)| names(url, host))
    };
    match headers.get(SEC_FETCH_SITE) {
        Some(site) if site == "same-origin" => true,
        // A receipt's address may be kept and opened again; nobody types a payment.
        Some(site) => site == "none" && *method == Method::GET,
        // Over plain HTTP browsers leave Sec-Fetch-Site out, and send an Origin with a POST alone.
        None if headers.contains_key(ORIGIN) => of_host(ORIGIN),
        None => *method == Method::GET && of_host(REFERER),
    }
}

/// Whether an origin, or the URL of a page, has this host and port. The scheme does not count: TLS may end at the load balancer.
fn names(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let (Ok(origin), Ok(host)) = (origin.to_str(), host.to_str()) else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    // A Referer has a path as well.
    let authority = authority.split('/').next().unwrap_or_default();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(headers: &[(&'static str, &'static str)]) -> bool {
        refuse_other_sites(&map(headers)).is_err()
    }

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        headers.iter().map(pair).collect()
    }

    #[test]
    fn p10_only_this_servers_own_pages_are_the_pay_page() {
        let host = ("host", "pay.example");
        let own = |method: &Method, headers: &[(&'static str, &'static str)]| {
            is_own_page(method, &map(headers))
        };
        let (get, post) = (&Method::GET, &Method::POST);
        let same = ("sec-fetch-site", "same-origin");
        let origin = ("origin", "https://pay.example");
        let referer = ("referer", "https://pay.example/pay?id=a");
        for both in [
            &[same][..],
            &[host, origin],
            &[host, same, ("origin", "null")],
        ] {
            assert!(own(get, both) && own(post, both), "{both:?}");
        }
        for asking in [&[("sec-fetch-site", "none")][..], &[host, referer]] {
            assert!(own(get, asking) && !own(post, asking), "{asking:?}");
        }
        for other in [
            &[][..],
            &[host],
            &[origin],
            &[host, ("sec-fetch-site", "same-site"), origin],
            &[host, ("sec-fetch-site", "cross-site"), referer],
            &[host, ("origin", "https://evil.example"), referer],
            &[host, ("origin", "null"), referer],
            &[host, ("referer", "https://pay.example.evil.example/pay")],
            &[
                host,
                ("referer", "https://evil.example/https://pay.example/"),
            ],
        ] {
            assert!(!own(get, other) && !own(post, other), "{other:?}");
        }
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
