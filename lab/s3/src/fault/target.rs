//! Which requests faults may be injected into.

use http::header::AUTHORIZATION;
use http::request::Parts;

/// What a request does to objects. Other requests have no target: copies, parts, deletes and operations on buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectRequest {
    Put {
        /// Whether it has `If-None-Match`.
        first_only: bool,
    },
    Get,
    Head,
    List,
}

impl ObjectRequest {
    /// Classifies a request before its signature is checked.
    pub fn of(request: &Parts) -> Option<Self> {
        let (bucket, key) = request
            .uri
            .path()
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or((request.uri.path().trim_start_matches('/'), ""));
        let has = |name| names(request.uri.query()).any(|found| found == name);
        match request.method.as_str() {
            _ if bucket.is_empty() => None,
            "GET" if key.is_empty() => (!has("location")).then_some(Self::List),
            _ if key.is_empty() || has("uploadId") => None,
            "PUT" if request.headers.contains_key("x-amz-copy-source") => None,
            "PUT" => Some(Self::Put {
                first_only: request.headers.contains_key("if-none-match"),
            }),
            "GET" => Some(Self::Get),
            "HEAD" => Some(Self::Head),
            _ => None,
        }
    }
}

/// Returns the access key id that the request claims, from its header or, if it is presigned, its query.
pub fn claimed_key_id(request: &Parts) -> Option<&str> {
    let of_header = || {
        let header = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
        header.split_once("Credential=")
    };
    let of_query = || request.uri.query()?.split_once("X-Amz-Credential=");
    let (_, scope) = of_header().or_else(of_query)?;
    scope.split(['/', '%']).next()
}

fn names(query: Option<&str>) -> impl Iterator<Item = &str> {
    let pairs = query.unwrap_or_default().split('&');
    pairs.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::{Builder, Parts};

    use super::{ObjectRequest, claimed_key_id};

    fn parts(request: Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_what_is_about_objects_is_a_target() {
        let request = |method: &str, uri: &str| Request::builder().method(method).uri(uri);
        let put = |first_only| Some(ObjectRequest::Put { first_only });
        let cases = [
            (request("PUT", "/log/a/b?x-id=PutObject"), put(false)),
            (
                request("PUT", "/log/a").header("if-none-match", "*"),
                put(true),
            ),
            (
                request("PUT", "/log/a").header("x-amz-copy-source", "log/b"),
                None,
            ),
            (request("PUT", "/log/a?partNumber=1&uploadId=u"), None),
            (request("PUT", "/log"), None),
            (
                request("GET", "/log/a?x-id=GetObject"),
                Some(ObjectRequest::Get),
            ),
            (request("HEAD", "/log/a"), Some(ObjectRequest::Head)),
            (request("HEAD", "/log/"), None),
            (
                request("GET", "/log?list-type=2"),
                Some(ObjectRequest::List),
            ),
            (request("GET", "/log/"), Some(ObjectRequest::List)),
            (request("GET", "/log?location"), None),
            (request("GET", "/"), None),
            (request("DELETE", "/log/a"), None),
            (request("POST", "/log/a?uploads"), None),
        ];
        for (request, expected) in cases {
            let request = parts(request);
            assert_eq!(ObjectRequest::of(&request), expected, "{request:?}");
        }
    }

    #[test]
    fn the_signers_key_is_in_the_header_or_the_query() {
        let signed = "AWS4-HMAC-SHA256 Credential=LABAPP/20261122/us-west-2/s3/aws4_request, SignedHeaders=host";
        let signed = parts(Request::get("/log/a").header("authorization", signed));
        assert_eq!(claimed_key_id(&signed), Some("LABAPP"));
        let query = "/log/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=LABAPP%2F20261122%2Fus-west-2";
        assert_eq!(claimed_key_id(&parts(Request::get(query))), Some("LABAPP"));
        assert_eq!(claimed_key_id(&parts(Request::get("/log/a"))), None);
    }
}
