//! Authentication and authorization.

use reqwest::{Method, StatusCode};

use crate::support::{ACCESS_KEY_ID, Answer, FUNCTION, Setup, authorization};

#[tokio::test]
async fn only_a_known_access_key_id_is_let_in() {
    let host = Setup::new().start().await;
    let paths = [
        (
            Method::POST,
            format!("/2015-03-31/functions/{FUNCTION}/invocations"),
        ),
        (Method::GET, format!("/2015-03-31/functions/{FUNCTION}")),
        (Method::GET, "/2015-03-31/functions/".to_owned()),
        (Method::GET, "/_lab/status".to_owned()),
        (Method::GET, "/_lab/dead-letters".to_owned()),
        (Method::POST, "/_lab/dead-letters/x/redrive".to_owned()),
        (Method::OPTIONS, "/_lab/status".to_owned()),
        (Method::GET, "/nowhere".to_owned()),
    ];
    let refused = [
        (None, "MissingAuthenticationTokenException"),
        (
            Some(format!("Bearer {ACCESS_KEY_ID}")),
            "IncompleteSignatureException",
        ),
        (
            Some(authorization("AKIASOMEBODYELSES")),
            "UnrecognizedClientException",
        ),
        (
            Some(authorization(&ACCESS_KEY_ID[1..])),
            "UnrecognizedClientException",
        ),
    ];
    for (method, path) in &paths {
        for (header, error_type) in &refused {
            let mut request = host.client.anonymous(method.clone(), path);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = Answer::of(request).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{method} {path} {header:?}"
            );
            assert_eq!(answer.header("x-amzn-errortype"), Some(*error_type));
        }
    }
    assert_eq!(host.client.status().await["counts"]["invocations"], 0);
    host.stop().await;
}

#[tokio::test]
async fn the_health_check_is_open_and_an_unknown_path_is_not_found() {
    let host = Setup::new().start().await;
    let health = Answer::of(host.client.anonymous(Method::GET, "/_lab/health")).await;
    assert_eq!(health.status, StatusCode::OK);
    let nowhere = Answer::of(host.client.request(Method::GET, "/nowhere")).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    host.stop().await;
}
