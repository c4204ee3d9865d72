//! What its pages show of the parts and of payments.

use aws_sdk_s3::types::ServerSideEncryption;
use lab_runner::lab::BUCKET;
use reqwest::StatusCode;
use serde_json::json;

use super::{Console, ROW_TIMEOUT, tile};
use crate::{
    clients::{self, BODY, Clients, bearer},
    test_lab::TestLab,
};

#[tokio::test]
async fn p11_every_page_shows_what_the_parts_did_and_what_vouches_for_it() {
    let console = Console::open().await;
    console.pay(30).await;
    // `up` sent one before.
    let paid = "31";
    console
        .until(&format!("{} === '{paid}'", tile("Rows")))
        .await;
    console
        .until(&format!("{} === '0'", tile("Dead letters")))
        .await;
    console
        .until(&format!("Number({}) > 0", tile("Accepted")))
        .await;
    let charts = "document.querySelectorAll('[data-chart] canvas').length === 2";
    console.until(charts).await;

    console.goto("/load-balancers").await;
    let requests = "[...document.querySelectorAll('.map')].map(map => \
        [...map.querySelectorAll('tbody tr')].reduce((sum, row) => sum + Number(row.cells[3].textContent), 0))";
    let seen = console.run(&format!("return {requests}")).await;
    assert_eq!(seen, json!([31, 31]), "each payment went through both");
    let healthy = console
        .run("return document.querySelectorAll('.map .state.healthy').length")
        .await;
    assert_eq!(healthy, 4);

    console.goto("/lambda").await;
    let runs = console
        .run(&format!("return Number({})", tile("Runs")))
        .await;
    let objects = console
        .lab
        .select("SELECT COUNT(*) FROM payments.ingested_objects")
        .await;
    assert!(
        runs.as_u64() >= objects[0].parse().ok(),
        "{runs} {objects:?}"
    );
    let listed = console
        .run("return document.querySelectorAll('#runs ~ .scroll tbody tr').length")
        .await;
    assert_eq!(listed, runs, "fewer than are remembered");

    console.goto("/database").await;
    console.until_shown("shown-29").await;
    let row = "[...document.querySelectorAll('tbody tr')].find(row => row.textContent.includes('shown-29')).innerText";
    let row = console.run(&format!("return {row}")).await.to_string();
    for cell in ["12.5000", "USD", "processed"] {
        assert!(row.contains(cell), "{row}");
    }

    console.goto("/s3").await;
    let object = console
        .run("return document.querySelector('tbody a').href")
        .await;
    console
        .browser
        .goto(object.as_str().unwrap())
        .await
        .unwrap();
    console.until_shown("shown-29").await;
    console.click("tbody a").await;
    console.until_shown("POST /process: 202").await;
    console.until_shown("POST /pay: 202").await;
    console.until_shown("recorded").await;

    console
        .browser
        .type_into("#search", "shown-3\n")
        .await
        .unwrap();
    console
        .until("location.pathname === '/payments/shown%2D3'")
        .await;
    console.until_shown("12.50 USD").await;
    let chain = console
        .run("return document.getElementById('chain-1').parentElement.innerText")
        .await
        .to_string();
    for shown in ["SHA-256", "Run", "named, with this hash", "Named by"] {
        assert!(chain.contains(shown), "{chain}");
    }
    console.goto("/payments/nobody").await;
    console
        .until_shown("Nothing is known of this payment.")
        .await;

    console.goto("/network").await;
    console.until_shown("FinTechVPC 10.0.0.0/16").await;
    assert_eq!(console.browser.complaints().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn p10_each_clients_payment_is_shown_and_the_buttons_pay_by_key() {
    let clients = Clients::new();
    let (shop, other) = (clients.add("shop", &[]), clients.add("other", &[]));
    let file = clients.file();
    let known = ["--clients", file.to_str().unwrap(), "--pay-key", &shop];
    let console = Console::of(TestLab::up_with_console_and(&known)).await;
    for key in [&shop, &other] {
        let (status, _) = clients::pay(&console.lab, bearer(key), BODY).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'shared'";
    console
        .lab
        .until_selected(select, &["2"], ROW_TIMEOUT)
        .await;
    console.goto("/payments/shared").await;
    for shown in ["Of client other", "Of client shop", "POST /process: 202"] {
        console.until_shown(shown).await;
    }
    let recorded = "document.querySelectorAll('.lead .state.healthy').length === 2";
    console.until(recorded).await;

    console.goto("/").await;
    console.click("#send-one button").await;
    console.until_shown("1 of 1 accepted").await;
    let select = "SELECT DISTINCT client FROM payments.transactions \
                  WHERE payment_id LIKE 'console-%' OR payment_id LIKE 'lab-%'";
    console
        .lab
        .until_selected(select, &["shop"], ROW_TIMEOUT)
        .await;
    assert_eq!(console.browser.complaints().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_direction_override_in_a_name_stays_within_the_name() {
    let console = Console::open().await;
    let name = "Mallory \u{202e}00.01";
    let body =
        json!({ "id": "turned", "payer_name": name, "transaction": name, "amount": "10.00" });
    assert_eq!(
        console.lab.post(body.to_string()).await.status,
        StatusCode::ACCEPTED
    );
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'turned'";
    console
        .lab
        .until_selected(select, &["1"], ROW_TIMEOUT)
        .await;
    let key = format!("transactions/{name}.json");
    let put = console.lab.s3(&console.lab.lab.credentials.aws.operator);
    put.put_object()
        .bucket(BUCKET)
        .key(&key)
        .body(body.to_string().into_bytes().into())
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
    let shown = r"[...document.querySelectorAll('bdi')].some(name => name.textContent.includes('Mallory \\u202e00.01'))";
    for path in [
        "/database",
        "/payments/turned",
        "/s3?prefix=transactions%2F",
        &format!(
            "/s3/object?key={}",
            key.replace(' ', "%20").replace('\u{202e}', "%E2%80%AE")
        ),
    ] {
        console.goto(path).await;
        console.until(shown).await;
        let raw = "return document.title.includes('\\u202e') || document.body.innerHTML.includes('\\u202e')";
        assert_eq!(console.run(raw).await, false, "{path}");
    }
}
