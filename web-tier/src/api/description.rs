//! The paths, and what each may answer.

use std::collections::BTreeMap;

use clients::signature;
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{ErrorCode, Problem, batch};
use serde_json::{Map, Value, json};

use super::examples::PAY;
use super::schema;

use ErrorCode::{
    BodyTooLarge, CardNumber, Draining, IdConflict, IdMismatch, Internal, InvalidMember,
    MalformedJson, NotAllowed, NotFound, Overloaded, RateLimited, RequestTimeout,
    StatusUnavailable, StorageUnavailable, Unauthenticated, UnsupportedMediaType, UpstreamFailed,
    UpstreamTimeout,
};

/// Any request may be refused so.
const ANY: &[ErrorCode] = &[Internal, Overloaded, UpstreamTimeout];

const PAYING: &[ErrorCode] = &[
    MalformedJson,
    IdMismatch,
    Unauthenticated,
    NotAllowed,
    RequestTimeout,
    IdConflict,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidMember,
    CardNumber,
    RateLimited,
    UpstreamFailed,
    Draining,
    StorageUnavailable,
];

pub fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Payments",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A payment is accepted once it is durable. Repeat it under the same id as often as you like: it is paid once.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/pay": {"get": form(), "post": pay()},
            "/pay/{id}": {"get": find()},
            "/health": {"get": health()},
            "/openapi.json": {"get": own()},
        },
        "components": {"schemas": {
            "Payment": schema::payment(),
            "Accepted": schema::accepted(),
            "Outcome": schema::outcome(),
            "Status": schema::status(),
            "Problem": schema::problem(),
        }, "securitySchemes": security_schemes()},
    })
}

/// Where intake is open, no credential is needed.
fn security() -> Value {
    json!([{}, {"bearer": []}, {"signature": []}])
}

fn security_schemes() -> Value {
    let covered = |components: &[&str]| format!("`{}`", components.join("`, `"));
    let description = format!(
        "HTTP Message Signatures (RFC 9421), ed25519 or hmac-sha256, with keyid, and created at most {} seconds ago. A \
         payment covers {}, a batch {}, a GET {}. Content-Digest is that of RFC 9530, sha-256 or sha-512.",
        signature::AGE_SECONDS_MAX,
        covered(signature::PAYING),
        covered(signature::BATCH),
        covered(signature::READING),
    );
    json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "A key of the client's."},
        "signature": {"type": "apiKey", "in": "header", "name": "Signature", "description": description},
    })
}

fn pay() -> Value {
    let examples: Map<_, _> = PAY
        .iter()
        .filter(|example| example.status == 202)
        .filter_map(|example| {
            let value: Value = serde_json::from_str(example.body).ok()?;
            Some((example.name.to_owned(), json!({"value": value})))
        })
        .collect();
    let mut repeated = json_answer(
        "A single payment was accepted before: the first answer again. Or a batch: a line for each payment, in order.",
        "Accepted",
    );
    let mut to_the_first = location("^/pay/");
    to_the_first["required"] = false.into();
    repeated["headers"] = json!({
        "Idempotent-Replayed": {"schema": {"const": "true"}},
        "Location": to_the_first,
    });
    repeated["content"][batch::MEDIA_TYPE] = lines("Outcome");
    let mut accepted = json_answer("It is durable, and on its way to the database.", "Accepted");
    accepted["headers"] = json!({"Location": location("^/pay/")});
    json!({
        "operationId": "pay",
        "security": security(),
        "summary": "Make a payment",
        "description": format!("One JSON object of at most {BODY_BYTES_MAX} bytes. An object with the same member twice is refused. After a 5xx, or no answer, send it again under the same id. Or a batch: one such object a line, each with its id, at most {} payments and {} bytes. A batch is not atomic, and safe to repeat.", batch::PAYMENTS_MAX, batch::BYTES_MAX),
        "parameters": [{
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Another way to give the id of a single payment.",
            "schema": schema::id(),
        }],
        "requestBody": {
            "required": true,
            "content": {
                "application/json": {"schema": reference("Payment"), "examples": examples},
                batch::MEDIA_TYPE: lines("Payment"),
            },
        },
        "responses": with_refusals(json!({"200": repeated, "202": accepted}), PAYING),
    })
}

fn form() -> Value {
    json!({
        "operationId": "form",
        "summary": "The pay page, for people",
        "parameters": [{
            "name": "id",
            "in": "query",
            "description": "Of the payment that the form makes.",
            "schema": {"type": "string"},
        }],
        "responses": with_refusals(
            json!({
                "200": {"description": "A form.", "content": {"text/html": html()}},
                "303": {
                    "description": "To the form with a new id, or to the receipt of a payment that has this id.",
                    "headers": {"Location": location("^/pay[?/]")},
                },
            }),
            &[],
        ),
    })
}

fn find() -> Value {
    let mut found = json_answer("What is known of it; as HTML, a receipt.", "Status");
    found["content"]["text/html"] = html();
    json!({
        "operationId": "find",
        "security": security(),
        "summary": "What became of a payment",
        "description": "Shows neither the payer's name nor members of the client's own, since who guesses an id may ask.",
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": schema::id()}],
        "responses": with_refusals(
            json!({"200": found}),
            &[Unauthenticated, NotFound, RateLimited, StatusUnavailable, UpstreamFailed],
        ),
    })
}

fn health() -> Value {
    json!({
        "operationId": "health",
        "summary": "Whether this server takes requests",
        "responses": with_refusals(
            json!({"200": {"description": "It does.", "content": {"text/plain": {"schema": {"const": "OK"}}}}}),
            &[Draining],
        ),
    })
}

fn own() -> Value {
    json!({
        "operationId": "openapi",
        "summary": "This description",
        "responses": with_refusals(
            json!({"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}}),
            &[],
        ),
    })
}

/// Lines of this schema. The description can say no more than that the whole is text.
fn lines(schema: &str) -> Value {
    let description = format!("Newline-delimited JSON; each line is of the schema {schema}.");
    json!({"schema": {"type": "string", "description": description}})
}

/// A page, for who prefers HTML.
fn html() -> Value {
    json!({"schema": {"type": "string"}})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn json_answer(description: &str, schema: &str) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": reference(schema)}}})
}

fn location(pattern: &str) -> Value {
    json!({"description": "Where to ask for it.", "schema": {"type": "string", "pattern": pattern}, "required": true})
}

/// One response for each status, which names its codes.
fn with_refusals(mut responses: Value, codes: &[ErrorCode]) -> Value {
    let mut by_status = BTreeMap::<u16, Vec<ErrorCode>>::new();
    for code in codes.iter().chain(ANY) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        let words = codes.iter().map(|code| {
            let (_, name, title) = code.parts();
            format!("`{name}`: {title}.")
        });
        let description = words.collect::<Vec<_>>().join(" ");
        let mut response = json!({
            "description": description,
            "content": {
                Problem::MEDIA_TYPE: {"schema": reference("Problem")},
                "text/html": html(),
            },
        });
        if codes
            .iter()
            .any(|code| code.retry_after_seconds().is_some())
        {
            let seconds = json!({"type": "integer", "minimum": 0});
            response["headers"] = json!({"Retry-After": {"description": "Seconds.", "schema": seconds, "required": true}});
        }
        responses[status.to_string()] = response;
    }
    responses
}
