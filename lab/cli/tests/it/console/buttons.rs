//! Its buttons: faults, dead letters, payments.

use reqwest::StatusCode;

use super::{Console, ROW_TIMEOUT, tile};

#[tokio::test]
async fn dead_letters_are_shown_and_redriven() {
    let console = Console::open().await;
    console.goto("/faults").await;
    // Longer than all attempts at an event take.
    console
        .run("document.getElementById('for-s3-truncated-get').value = '20'")
        .await;
    console.click("button[aria-label='truncated-get on']").await;
    console.until_shown("fault s3/truncated-get").await;
    let answer = console.lab.post(r#"{"id":"unlucky"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);

    console.goto("/lambda").await;
    console
        .until(&format!("{} === '1'", tile("Dead letters")))
        .await;
    console.click(".banner button").await;
    console.until_shown("all faults are off").await;
    console.click(".redrive button").await;
    console.until_shown("dead letters were replayed").await;
    console
        .until(&format!("{} === '0'", tile("Dead letters")))
        .await;
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'unlucky'";
    assert_eq!(console.lab.select(select).await, ["1"]);
}

#[tokio::test]
async fn payments_go_on_while_the_database_is_away_and_its_fault_ends_by_itself() {
    let console = Console::open().await;
    console.click("button[name=rate][value='50']").await;
    console.until_shown("50 payments per second").await;
    console.goto("/faults").await;
    console
        .run("document.getElementById('for-mysql-down').value = '3'")
        .await;
    console.click("button[aria-label='down on']").await;
    console.until_shown("mysql/down is on for 3 s").await;
    console.goto("/").await;
    console.until_shown("mysql is").await;
    console.until_shown("mysql/down is over").await;
    console.click("button[name=rate][value='0']").await;
    console.until_shown("the payments of the console end").await;
    console.until("!document.querySelector('.banner')").await;
    let sent =
        "document.querySelector('.traffic p').textContent.match(/([0-9,]+) of ([0-9,]+) accepted/)";
    console.until(&format!("{sent}[1] === {sent}[2]")).await;
    let sent = console.run(&format!("return {sent}[2]")).await;
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'console-%'";
    let expected = sent.as_str().unwrap().replace(',', "");
    console
        .lab
        .until_selected(select, &[&expected], ROW_TIMEOUT)
        .await;
}
