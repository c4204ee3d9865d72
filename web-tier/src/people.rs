//! Refusals for people: whoever sends the page's form, or asks for HTML, reads a page in the place of a problem.
//!
//! This stands around all layers, so that what they refuse themselves is a page, too: the one rule for all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::Method;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http_service::http::media_type;
use payment_core::CardCheck;

use crate::accept::prefers_html;
use crate::answer::Problem;
use crate::form::Fields;
use crate::page;
use crate::refused::{Purpose, RefusedPage};

pub fn around(router: Router, cards: CardCheck) -> Router {
    router.layer(from_fn_with_state(Arc::new(cards), explain))
}

async fn explain(State(cards): State<Arc<CardCheck>>, request: Request, next: Next) -> Response {
    let person = is_from_a_person(&request).then(|| Purpose::of(&request, &cards));
    let mut answer = next.run(request).await;
    let fields = answer.extensions_mut().remove::<Fields>();
    if media_type(answer.headers()) != Some(payment_core::Problem::MEDIA_TYPE) {
        return answer;
    }
    match (fields, person) {
        (None, None) => answer,
        (Some(fields), _) => {
            let (head, problem) = read(answer).await;
            let code = problem.code(head.status);
            with_page(head, page::refused(fields, code, &problem, &cards))
        }
        (None, Some(purpose)) => {
            let (head, problem) = read(answer).await;
            let code = problem.code(head.status);
            with_page(head, page::render(&RefusedPage::new(&purpose, code)))
        }
    }
}

/// A browser, which asks for HTML. A program that forgot its Content-Type sends what looks like a form, and reads a
/// problem. A HEAD has no body.
fn is_from_a_person(request: &Request) -> bool {
    let is_shown = matches!(*request.method(), Method::GET | Method::POST);
    is_shown && prefers_html(request.headers())
}

async fn read(answer: Response) -> (Parts, Problem) {
    let (head, body) = answer.into_parts();
    (head, Problem::read(body).await)
}

/// The page under the status and the other headers of the refusal.
fn with_page(mut head: Parts, page: Response) -> Response {
    let (page_head, body) = page.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.extend(page_head.headers);
    Response::from_parts(head, body)
}
