//! `up --tls`: no hop from the client to the app tier takes or gives plain HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lab_runner::{files, http::Client, part::PartName, payment, ports::TIERS};
use rcgen::generate_simple_self_signed;
use reqwest::StatusCode;
use tokio::task::JoinSet;

use crate::{
    operator::payctl,
    test_lab::{TestLab, assert_success},
};

const TIMEOUT: Duration = Duration::from_secs(15);

const CLIENTS: usize = 16;

/// A crowd that pays until it is told to stop; each payment that is not accepted is a failure.
struct Crowd {
    stop: Arc<AtomicBool>,
    clients: JoinSet<u32>,
}

impl Crowd {
    fn of(lab: &TestLab) -> Self {
        let mut crowd = Self {
            stop: Arc::default(),
            clients: JoinSet::new(),
        };
        crowd.grow(lab);
        crowd
    }

    /// More clients than there are idle connections behind the load balancers, which open others for them.
    fn grow(&mut self, lab: &TestLab) {
        for _ in 0..CLIENTS {
            let client = lab.lab.client(TIMEOUT).unwrap();
            let (url, stop) = (payment::url(&lab.lab), Arc::clone(&self.stop));
            let number = self.clients.len();
            self.clients.spawn(pay(client, url, number, stop));
        }
    }

    async fn end(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await.into_iter().sum()
    }
}

async fn pay(client: Client, url: String, number: usize, stop: Arc<AtomicBool>) -> u32 {
    let mut payments = 0;
    while !stop.load(Ordering::Relaxed) {
        payments += 1;
        let body = format!(r#"{{"id": "tls-{number}-{payments}"}}"#);
        let answer = client.post(&url, body).await.unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    }
    payments
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_every_hop_speaks_tls_and_payments_become_rows() {
    let lab = TestLab::up_with(&["--tls"]);
    let front = lab.lab.url(PartName::Alb);
    assert!(front.starts_with("https://"), "{front}");
    assert_success(&lab.run(&["pay", "--id", "by-the-lab"]));
    assert_success(&payctl(&lab, "reader", &["pay", "--id", "by-payctl"]));

    let plain = lab_runner::http::client().unwrap();
    for part in TIERS.into_iter().chain([PartName::Alb, PartName::Ilb]) {
        let url = format!("http://{}/health", lab.lab.address(part));
        let answer = plain.get(url).send().await;
        // haproxy says 400 where it is not spoken to in TLS.
        let is_served = answer.is_ok_and(|answer| answer.status().is_success());
        assert!(!is_served, "{part}");
    }

    // The tiers get another certificate under load, of a name and a CA that no load balancer asks for.
    let mut crowd = Crowd::of(&lab);
    let lengths = lab.log_lengths();
    let new = generate_simple_self_signed(["another.test".to_owned()]).unwrap();
    let pem = [new.cert.pem(), new.signing_key.serialize_pem()].concat();
    files::write(&lab.lab.tls().unwrap().servers, &pem).unwrap();
    for tier in TIERS {
        let is_in_force = |line: &str| line.contains("another certificate is in force");
        lab.until_logged(&[tier], &lengths, is_in_force).await;
    }
    crowd.grow(&lab);
    let select =
        "SELECT COUNT(*) > 100 FROM payments.transactions WHERE payment_id LIKE 'tls-2_-%'";
    lab.until_selected(select, &["1"], TIMEOUT).await;
    let accepted = crowd.end().await;
    let select = "SELECT COUNT(*), COUNT(DISTINCT payment_id) FROM payments.transactions \
                  WHERE payment_id LIKE 'tls-%' OR payment_id LIKE 'by-%'";
    let rows = format!("{0}\t{0}", accepted + 2);
    lab.until_selected(select, &[&rows], Duration::from_secs(90))
        .await;
}
