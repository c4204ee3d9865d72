//! What the operator sees: all of it is documented, and none of it contains what a payer wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use lab_runner::{part::PartName, ports::TIERS};
use serde_json::Value;

use crate::{test_lab::TestLab, workspace::root};

/// Crates whose code runs in the programs.
const SOURCES: [&str; 10] = [
    "app-tier/src",
    "web-tier/src",
    "lambda-ingest/src",
    "crates/clients/src",
    "crates/program/src",
    "crates/http-service/src",
    "crates/aws-clients/src",
    "crates/payment-core/src",
    "crates/payment-store/src",
    "crates/database-login/src",
];

/// Fields that the logger itself adds to every line.
const ALWAYS: [&str; 4] = ["timestamp", "level", "target", "message"];

/// Returns the first columns of the tables under a heading of fields.md.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("deploy-notes/watch/fields.md")).unwrap();
    let (_, section) = page.split_once(&format!("## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_log_field_of_the_code_is_in_the_table_and_no_other() {
    let mut fields = BTreeSet::new();
    for source in SOURCES {
        read_fields(&root().join(source), &mut fields);
    }
    assert!(fields.contains("duration_ms") && fields.contains("s3_key"));
    assert_eq!(fields, documented("Log fields"));
}

fn read_fields(folder: &Path, fields: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_fields(&path, fields);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = fs::read_to_string(&path).unwrap();
            // Access log lines are written by hand.
            for (name, _) in [".text(\"", ".number(\"", ".time(\""]
                .iter()
                .flat_map(|writer| code.split(writer).skip(1))
                .filter_map(|rest| rest.split_once('"'))
                .filter(|_| path.ends_with("http/exchange.rs"))
            {
                fields.insert(name.to_owned());
            }
            for call in code.split("tracing::").skip(1) {
                let Some((level, rest)) = call.split_once("!(") else {
                    continue;
                };
                if ["trace", "debug", "info", "warn", "error", "$level"].contains(&level) {
                    fields.extend(arguments(rest).iter().filter_map(|a| field(a)));
                }
            }
        }
    }
}

/// Returns the arguments of a macro whose opening parenthesis was just read.
fn arguments(code: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut depth, mut quoted) = (0, false);
    let mut characters = code.chars();
    while let Some(c) = characters.next() {
        let last = found.last_mut().unwrap();
        match c {
            '\\' if quoted => _ = characters.next(),
            '"' => {
                quoted = !quoted;
                last.push(c);
            }
            ',' if !quoted && depth == 0 => found.push(String::new()),
            ')' if !quoted && depth == 0 => break,
            _ => {
                let opens = matches!(c, '(' | '[' | '{');
                let closes = matches!(c, ')' | ']' | '}');
                depth += i32::from(!quoted && opens) - i32::from(!quoted && closes);
                last.push(c);
            }
        }
    }
    found
}

/// Returns the field name of `name`, `%name`, `?name` or `name = value`; nothing for the message and the target.
fn field(argument: &str) -> Option<String> {
    let name = argument.split('=').next()?.trim();
    let name = name.trim_start_matches(['%', '?']);
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

const NAME: &str = "Zaphod Beeblebrox";
const NOTE: &str = "forty-two towels";
const CARD: &str = "4111111111111111";

/// Sends requests that cause each kind of answer and of row.
async fn load(lab: &TestLab) {
    let accepted = |id: &str, status: &str| {
        format!(
            r#"{{"id":"{id}","amount":"12.34","status":"{status}","payer_name":"{NAME}","transaction":"{NOTE}","extra":"{NOTE}"}}"#
        )
    };
    for number in 0..50 {
        let status = if number % 10 == 0 {
            "failed"
        } else {
            "processed"
        };
        let answer = lab.post(accepted(&format!("watch-{number}"), status)).await;
        assert_eq!(answer.status, 202);
    }
    // Before its row exists, the node that did not take the payment says 202 to its repeat.
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'watch-%'";
    lab.until_selected(select, &["50"], Duration::from_mins(1))
        .await;
    assert_eq!(lab.post(accepted("watch-1", "processed")).await.status, 200);
    for (body, status) in [
        (
            format!(r#"{{"id":"watch-1","payer_name":"{NAME}"}}"#),
            409_u16,
        ),
        (format!(r#"{{"payer_name":"{CARD}"}}"#), 422),
        (format!(r#"{{"amount":"{NOTE}"}}"#), 422),
        (format!(r#"{{"id":"{NAME}"}}"#), 422),
        (format!(r#"{{"{NOTE}":"#), 400),
    ] {
        let answer = lab.post(body).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
    let client = lab_runner::http::client().unwrap();
    for path in [CARD, "watch-1", "forty-two%20towels"] {
        let url = format!("{}/pay/{path}", lab.lab.url(PartName::Alb));
        client.get(url).send().await.unwrap();
    }
}

#[tokio::test]
async fn p8_all_that_a_loaded_lab_puts_out_is_documented_and_holds_no_body_name_or_card_number() {
    let lab = TestLab::up();
    load(&lab).await;
    let mut output = BTreeMap::new();
    for tier in TIERS {
        let url = format!("http://{}/metrics", lab.lab.admin_address(tier));
        let client = lab_runner::http::client().unwrap();
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        output.insert(format!("metrics of {tier}"), text);
    }
    // Only the final log lines are then missing.
    lab.down();
    for part in TIERS.into_iter().chain([PartName::Lambda]) {
        let log = fs::read_to_string(lab.lab.dir.log(part)).unwrap();
        output.insert(format!("log of {part}"), log);
    }
    for (name, text) in &output {
        for word in [NAME, "Zaphod", NOTE, "towels", CARD, "12.34"] {
            assert!(!text.contains(word), "{word} stands in the {name}");
        }
    }
    assert_logs_are_documented(&output);
    assert_metrics_are_documented(&output);
}

fn assert_logs_are_documented(output: &BTreeMap<String, String>) {
    let fields = documented("Log fields");
    let metrics = documented("Metrics of the function");
    let mut seen = BTreeSet::new();
    let (mut emitted, mut requests) = (BTreeSet::new(), 0);
    let logs = output
        .iter()
        .filter(|(name, _)| name.starts_with("log"))
        .flat_map(|(_, log)| log.lines());
    for line in logs {
        let Ok(Value::Object(line)) = serde_json::from_str(line) else {
            continue;
        };
        let is_program = line.get("target").and_then(Value::as_str);
        if line.contains_key("_aws") {
            let names = line.keys().filter(|name| metrics.contains(*name));
            emitted.extend(names.cloned());
            let others = line.keys().filter(|name| !metrics.contains(*name));
            assert_eq!(others.collect::<Vec<_>>(), ["_aws", "request_id"]);
        } else if is_program.is_some_and(|target| !target.starts_with("lab_")) {
            requests += usize::from(is_program == Some("access"));
            seen.extend(line.keys().cloned());
        }
    }
    // Each request is logged by both tiers, except those that the web tier refuses.
    assert!(requests > 100, "{requests}");
    for field in [
        "request_id",
        "trace_id",
        "error_code",
        "request_ids",
        "rows",
    ] {
        assert!(seen.contains(field), "{field} was never logged");
    }
    let known = |field: &String| ALWAYS.contains(&field.as_str()) || fields.contains(field);
    let unknown: Vec<_> = seen.iter().filter(|field| !known(field)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(emitted, metrics);
}

fn assert_metrics_are_documented(output: &BTreeMap<String, String>) {
    let shown: BTreeSet<_> = output
        .iter()
        .filter(|(name, _)| name.starts_with("metrics"))
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(shown, documented("Metrics of the tiers"));
    let total = |metric: &str| -> u32 {
        let lines = output.values().flat_map(|text| text.lines());
        let values = lines.filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        values.map(|value| value.parse::<u32>().unwrap()).sum()
    };
    // Fifty, and the one that `up` sent.
    assert_eq!(total("payments_accepted_total"), 51);
    assert!(total("payments_replayed_total") <= 1);
    assert!(total("payments_put_duration_seconds_count") > 0);
}

/// An alarm or a graph of a metric that does not exist would be silent forever.
#[test]
fn alarms_and_dashboard_name_metrics_that_the_function_makes() {
    let metrics = documented("Metrics of the function");
    let dashboard = fs::read_to_string(root().join("deploy-notes/watch/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let mut named = Vec::new();
    for widget in dashboard["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            if metric[0] == "PaymentPipeline" {
                named.push(metric[1].as_str().unwrap().to_owned());
            }
        }
    }
    let alarms = fs::read_to_string(root().join("deploy-notes/10-watch-it.md")).unwrap();
    for alarm in alarms
        .split("--namespace PaymentPipeline --metric-name ")
        .skip(1)
    {
        named.push(alarm.split_whitespace().next().unwrap().to_owned());
    }
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(metrics.contains(&name), "{name}");
    }
}
