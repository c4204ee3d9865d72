//! What stands around every route.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use http_service::http::{Layers, StatusQueries};
use http_service::metrics::Metrics;
use http_service::server::{Listen, Server};
use http_service::spans::Spans;
use payment_core::ErrorCode;
use serde_json::Value;
use tower::ServiceExt;

async fn router(requests_max: usize) -> Router {
    let server = Server::bind(Listen {
        addr: ([127, 0, 0, 1], 0).into(),
        drain: Duration::ZERO,
        tls: None,
    })
    .await
    .unwrap();
    let routes = Router::new()
        .route("/fine", get(|| async { "fine" }))
        .route("/panic", get(broken))
        .route("/number/{n}", get(async |_: Path<u32>| "a number"))
        .route("/teapot", get(async || StatusCode::IM_A_TEAPOT))
        .route(
            "/status/{id}",
            get(|| async { std::future::pending::<&'static str>().await }),
        )
        .route(
            "/hang",
            get(|| async { std::future::pending::<&'static str>().await }),
        );
    let late = ErrorCode::UpstreamTimeout;
    Layers {
        drain: server.drain(),
        deadline: Duration::from_millis(50),
        late,
        spans: Spans::default(),
        requests_max,
        status_queries: StatusQueries {
            route: "/status/{id}",
            max: 2,
        },
    }
    .register(&mut Metrics::default())
    .wrap(routes)
}

async fn broken() -> &'static str {
    panic!("secret words")
}

async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = headers
        .iter()
        .fold(Request::builder().uri(path), |request, (k, v)| {
            request.header(*k, *v)
        });
    router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn problem(response: Response<Body>) -> (u16, String, Value) {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let (status, id) = (
        response.status().as_u16(),
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned(),
    );
    let body: Value =
        serde_json::from_slice(&to_bytes(response.into_body(), 1 << 16).await.unwrap()).unwrap();
    assert_eq!(body["request_id"], id.as_str());
    assert_eq!(body["status"], status);
    (status, body["code"].as_str().unwrap().to_owned(), body)
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_a_code() {
    let router = router(10).await;
    for (path, status, code) in [
        ("/nowhere", 404, "not_found"),
        ("/panic", 500, "internal"),
        ("/hang", 504, "upstream_timeout"),
    ] {
        let (seen, name, body) = problem(ask(&router, path, &[]).await).await;
        assert_eq!((seen, name.as_str()), (status, code));
        assert!(
            !body.to_string().contains("secret words"),
            "a panic's words are for the log"
        );
    }
    let post = Request::post("/fine").body(Body::empty()).unwrap();
    let (status, code, _) = problem(router.oneshot(post).await.unwrap()).await;
    assert_eq!((status, code.as_str()), (405, "method_not_allowed"));
}

#[tokio::test]
async fn errors_of_the_library_are_problems_too() {
    let router = router(10).await;
    for (path, status, code) in [
        ("/number/4111111111111111", 400, "malformed_json"),
        ("/number/%ff", 400, "malformed_json"),
        ("/teapot", 500, "internal"),
    ] {
        let (seen, name, body) = problem(ask(&router, path, &[]).await).await;
        assert_eq!((seen, name.as_str()), (status, code), "{path}");
        assert!(!body.to_string().contains("4111"), "{body}");
    }
}

#[tokio::test]
async fn p5_what_is_too_much_is_refused_at_once_but_health_is_answered() {
    let router = router(0).await;
    let refused = ask(&router, "/fine", &[]).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(problem(refused).await.1, "overloaded");
    assert_eq!(ask(&router, "/health", &[]).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn p5_status_queries_that_hang_take_no_slot_of_payments() {
    let router = router(1).await;
    let (one, two) = (
        ask(&router, "/status/a", &[]),
        ask(&router, "/status/b", &[]),
    );
    let beside = async {
        // Both hang by now.
        tokio::task::yield_now().await;
        let refused = ask(&router, "/status/c", &[]).await;
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(problem(refused).await.1, "status_unavailable");
        assert_eq!(ask(&router, "/fine", &[]).await.status(), StatusCode::OK);
    };
    let (one, two, ()) = tokio::join!(one, two, beside);
    for hung in [one, two] {
        assert_eq!(problem(hung).await.1, "upstream_timeout");
    }
    // And the other way round.
    let (hung, status) = tokio::join!(ask(&router, "/hang", &[]), async {
        tokio::task::yield_now().await;
        ask(&router, "/status/d", &[]).await
    });
    assert_eq!(problem(hung).await.1, "upstream_timeout");
    assert_eq!(problem(status).await.1, "upstream_timeout", "it was let in");
}

#[tokio::test]
async fn a_request_id_is_kept_or_made() {
    let router = router(10).await;
    let id = |response: Response<Body>| {
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        id(ask(&router, "/fine", &[("x-request-id", "mine-1")]).await),
        "mine-1"
    );
    let made = id(ask(&router, "/fine", &[]).await);
    assert_ne!(made, id(ask(&router, "/fine", &[]).await));
    let replaced = id(ask(&router, "/fine", &[("x-request-id", "4111111111111111")]).await);
    assert!(
        !replaced.contains("1111"),
        "p8: a card number is no request id"
    );
}
