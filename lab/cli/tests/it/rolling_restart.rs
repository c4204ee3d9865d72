//! Both tiers are restarted instance by instance under load, and no client notices.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lab_runner::{part::PartName, ports::TIERS};
use reqwest::{Client, StatusCode, header::CONTENT_TYPE};
use tokio::task::{JoinSet, block_in_place};

use crate::test_lab::{TestLab, assert_success};

/// Clients that keep their connection, and clients that open one for each payment.
const KEEPING: u32 = 16;
const MAKING: u32 = 4;

/// Pause between two payments of a client.
const PAUSE: Duration = Duration::from_millis(20);

/// What a client saw.
#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    failed: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_rolling_restart_under_load_fails_no_request() {
    let lab = TestLab::up();
    let url = format!("{}/pay", lab.lab.url(PartName::Alb));
    let before = TIERS.map(|part| lab.part(part).pid);
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for number in 0..KEEPING + MAKING {
        clients.spawn(pay(
            client(number < KEEPING),
            url.clone(),
            number,
            Arc::clone(&stop),
        ));
    }
    let restarted = block_in_place(|| lab.run(&["restart"]));
    stop.store(true, Ordering::Relaxed);
    let mut seen = Seen::default();
    for client in clients.join_all().await {
        assert!(client.accepted > 0, "each client paid: {client:?}");
        seen.accepted += client.accepted;
        seen.failed.extend(client.failed);
    }
    assert_success(&restarted);
    for (part, before) in TIERS.into_iter().zip(before) {
        assert_ne!(lab.part(part).pid, before, "{part} was restarted");
    }
    let (failed, accepted) = (seen.failed, seen.accepted);
    assert!(
        failed.is_empty(),
        "{} of {} failed: {failed:#?}",
        failed.len(),
        u64::try_from(failed.len()).unwrap() + accepted
    );
    let select = "SELECT COUNT(*), COUNT(DISTINCT payment_id) FROM payments.transactions \
                  WHERE payment_id LIKE 'rolling-%'";
    let rows = format!("{accepted}\t{accepted}");
    lab.until_selected(select, &[&rows], Duration::from_secs(90))
        .await;
}

/// Never retries: a failure is a failure.
fn client(keeps_connections: bool) -> Client {
    Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(usize::from(keeps_connections))
        .timeout(Duration::from_secs(15))
        .build()
        .unwrap()
}

async fn pay(client: Client, url: String, number: u32, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut payment = 0;
    while !stop.load(Ordering::Relaxed) {
        payment += 1;
        let id = format!("rolling-{number}-{payment}");
        let request = client
            .post(&url)
            .header(CONTENT_TYPE, "application/json")
            .body(format!(r#"{{"id": "{id}", "amount": "1.00"}}"#));
        match request.send().await {
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => {
                // Read to the end, so that the connection can be reused.
                answer.bytes().await.unwrap();
                seen.accepted += 1;
            }
            Ok(answer) => {
                let status = answer.status();
                let body = answer.text().await.unwrap_or_default();
                seen.failed.push(format!("{id}: {status} {body}"));
            }
            Err(error) => seen.failed.push(format!("{id}: {error:?}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
    seen
}
