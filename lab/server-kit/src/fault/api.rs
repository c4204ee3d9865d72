//! The HTTP interface.
//!
//! `GET /_lab/faults` lists the kinds, `PUT /_lab/faults/{kind}` with a [`Setting`] switches one on, `DELETE
//! /_lab/faults/{kind}` switches one off, `DELETE /_lab/faults` all of them. Each answers with the list. Every request
//! needs the header `Authorization: Bearer <token>`, so that no web page can send one.

use std::time::Instant;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::{Faults, Setting};
use crate::secret::Secret;

/// Requests to this path and below are for [`Faults::answer`].
pub const PATH: &str = "/_lab/faults";

impl Faults {
    /// Answers a request; returns `None` if its path is another one.
    pub fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<Response<Bytes>> {
        let rest = path.strip_prefix(PATH)?;
        let name = match rest.strip_prefix('/') {
            Some(name) => Some(name),
            None if rest.is_empty() => None,
            None => return None,
        };
        if !self.admits(headers) {
            return Some(refusal(
                StatusCode::FORBIDDEN,
                "the lab's token is missing or wrong",
            ));
        }
        Some(self.serve(method, name, body))
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let shown = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        self.token.is_some() && shown == self.token.as_ref().map(Secret::expose)
    }

    fn serve(&self, method: &Method, name: Option<&str>, body: &[u8]) -> Response<Bytes> {
        match (method.as_str(), name) {
            ("GET", None) => {}
            ("DELETE", name) => self.clear(name),
            ("PUT", Some(name)) => match serde_json::from_slice::<Setting>(body) {
                Ok(setting) if self.set(name, setting) => {}
                Ok(_) => return refusal(StatusCode::NOT_FOUND, "there is no fault of this kind"),
                Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
            },
            _ => {
                return refusal(StatusCode::METHOD_NOT_ALLOWED, "GET, PUT or DELETE a fault");
            }
        }
        let (now, switches) = (Instant::now(), self.lock());
        let faults: Vec<_> = switches.iter().map(|switch| switch.shown(now)).collect();
        answer(StatusCode::OK, &json!({ "faults": faults }))
    }
}

fn refusal(status: StatusCode, message: &str) -> Response<Bytes> {
    answer(status, &json!({ "message": message }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fault::FaultKind;

    const KINDS: [FaultKind; 1] = [FaultKind {
        name: "slow",
        about: "answers late",
        ms: Some(500),
    }];

    fn ask(faults: &Faults, token: &str, method: &Method, path: &str, body: &str) -> (u16, String) {
        let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let answer = faults
            .answer(method, path, &headers, body.as_bytes())
            .unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        (answer.status().as_u16(), text)
    }

    fn only(list: &str) -> Value {
        let mut list: Value = serde_json::from_str(list).unwrap();
        list["faults"][0].take()
    }

    #[test]
    fn a_fault_is_switched_on_listed_and_switched_off() {
        let faults = Faults::new(&KINDS, Some(Secret::new("secret")));
        let ask = |method, path, body| ask(&faults, "secret", method, path, body);
        let (status, list) = ask(&Method::PUT, "/_lab/faults/slow", r#"{"ms":20}"#);
        assert_eq!(status, 200);
        assert_eq!(only(&list)["setting"], json!({"ms": 20, "rate": 1.0}));
        assert_eq!(faults.inject("slow").unwrap().as_millis(), 20);
        let (_, list) = ask(&Method::DELETE, "/_lab/faults/slow", "");
        let slow = only(&list);
        assert_eq!(
            (&slow["kind"], &slow["injected"]),
            (&json!("slow"), &json!(1))
        );
        assert_eq!(slow["setting"], Value::Null);
        assert_eq!(ask(&Method::GET, "/_lab/faults", "").1, list);
    }

    #[test]
    fn mistakes_are_named() {
        let faults = Faults::new(&KINDS, Some(Secret::new("secret")));
        let ask = |method, path, body| ask(&faults, "secret", method, path, body);
        assert_eq!(ask(&Method::PUT, "/_lab/faults/fast", "{}").0, 404);
        let (status, message) = ask(&Method::PUT, "/_lab/faults/slow", r#"{"rat":1}"#);
        assert_eq!(status, 400);
        assert!(message.contains("unknown field `rat`"), "{message}");
        assert_eq!(ask(&Method::POST, "/_lab/faults/slow", "{}").0, 405);
    }

    #[test]
    fn without_the_token_nobody_may_ask() {
        for token in [Some(Secret::new("secret")), None] {
            let faults = Faults::new(&KINDS, token);
            for shown in ["", "other"] {
                assert_eq!(ask(&faults, shown, &Method::GET, "/_lab/faults", "").0, 403);
            }
            let bare = faults.answer(&Method::GET, "/_lab/faults", &HeaderMap::new(), b"");
            assert_eq!(bare.unwrap().status(), 403);
            assert!(
                faults
                    .answer(&Method::GET, "/_lab/faultsx", &HeaderMap::new(), b"")
                    .is_none()
            );
        }
    }
}
