//! The description of the interface, and that its examples are true.

use payment_core::{Currency, Draft, ErrorCode};
use serde_json::Value;
use web_tier::api;

use crate::tier::Tier;

#[test]
fn every_example_gets_the_answer_that_it_names() {
    for example in api::PAY {
        let code = match Draft::parse(example.body.as_bytes()) {
            Ok(_) => None,
            Err(error) => Some(error.code()),
        };
        assert_eq!(code.map(ErrorCode::code), example.code, "{}", example.name);
        let status = code.map_or(202, ErrorCode::status);
        assert_eq!(status, example.status, "{}", example.name);
    }
}

#[test]
fn the_example_of_a_batch_has_the_outcomes_that_it_shows() {
    let [batch, answer] = api::BATCH.map(|lines| lines.lines().collect::<Vec<_>>());
    assert_eq!(batch.len(), answer.len());
    for (payment, outcome) in batch.iter().zip(answer) {
        let outcome: Value = serde_json::from_str(outcome).unwrap();
        match Draft::parse(payment.as_bytes()) {
            Ok(_) => assert_eq!(outcome["status"], "accepted"),
            Err(error) => {
                assert_eq!(outcome["code"], error.code().code());
                assert_eq!(outcome["detail"], error.to_string());
            }
        }
    }
}

#[tokio::test]
async fn the_description_is_served_and_each_code_has_its_status_in_it() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let served = tier.get("/openapi.json").await;
    assert_eq!(served.headers()["content-type"], "application/json");
    let served: Value = served.json().await.unwrap();
    assert_eq!(served, api::openapi());
    let responses: Vec<_> = served["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| &operation["responses"])
        .collect();
    for code in ErrorCode::ALL {
        // No path of the description has another method.
        if code == ErrorCode::MethodNotAllowed {
            continue;
        }
        let status = code.status().to_string();
        let name = format!("`{}`", code.code());
        let described = responses.iter().any(|responses| {
            let description = responses[&status]["description"].as_str();
            description.is_some_and(|text| text.contains(&name))
        });
        assert!(described, "{name}");
    }
}

#[test]
fn p10_payments_are_described_with_their_credentials() {
    let openapi = api::openapi();
    for (path, method) in [("/pay", "post"), ("/pay/{id}", "get")] {
        let operation = &openapi["paths"][path][method];
        let schemes = operation["security"].as_array().unwrap().iter();
        for scheme in schemes.flat_map(|scheme| scheme.as_object().unwrap().keys()) {
            let scheme = &openapi["components"]["securitySchemes"][scheme];
            assert!(scheme["type"].is_string(), "{path}: {scheme}");
        }
        for status in ["401", "429"] {
            assert!(
                operation["responses"][status].is_object(),
                "{path} {status}"
            );
        }
    }
    assert_eq!(openapi["paths"]["/health"]["get"]["security"], Value::Null);
}

#[test]
fn a_recorded_currency_may_have_been_withdrawn_since() {
    assert_eq!(Currency::parse("HRK"), None);
    let openapi = api::openapi();
    let currency = |schema: &str| {
        let schema = &openapi["components"]["schemas"][schema];
        schema["properties"]["currency"].clone()
    };
    assert!(currency("Payment")["enum"].is_array());
    assert_eq!(currency("Status")["enum"], Value::Null);
    assert_eq!(currency("Status")["pattern"], "^[A-Z]{3}$");
}

#[tokio::test]
async fn the_page_shows_every_example_and_code_and_needs_no_script() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = tier.get("/docs").await.text().await.unwrap();
    assert!(!page.contains("<script"), "{page}");
    for example in api::PAY {
        assert!(page.contains(example.name), "{}", example.name);
    }
    for code in ErrorCode::ALL {
        assert!(page.contains(code.code()), "{}", code.code());
    }
}
