//! The load: a fixed number of requests per second, whatever happens to earlier ones.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use lab_runner::{known_client::KnownClient, lab::Lab, payment};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, timeout},
};
use uuid::Uuid;

use super::{
    client::Client,
    history::History,
    payments::{Deed, Payments},
};

/// Most clients at a time: while the front door hangs, no more are added.
const DEEDS_MAX: usize = 2_000;

/// Longer than the web tier's own deadline, so that its answer is seen.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Time for clients that are still busy at the end, repeats and pauses included.
const LAST_DEEDS: Duration = Duration::from_secs(75);

#[derive(Debug)]
pub struct Load {
    task: JoinHandle<JoinSet<()>>,
    end: Arc<Semaphore>,
}

impl Load {
    /// Posts `rate` payments per second, drawn from the seed.
    pub fn start(
        rate: u32,
        seed: u64,
        clients: &[KnownClient],
        lab: &Lab,
        history: &History,
    ) -> Result<Self> {
        let http = lab.client(ANSWER_WITHIN)?;
        let client = Client::new(http, payment::url(lab), clients, history.clone());
        let run = format!("c{:08x}", Uuid::new_v4().as_fields().0);
        let names = clients.iter().map(|client| client.name.clone());
        let payments = Payments::new(seed, run, names.collect());
        let end = Arc::new(Semaphore::new(DEEDS_MAX));
        let task = tokio::spawn(post(payments, client, rate, Arc::clone(&end)));
        Ok(Self { task, end })
    }

    /// Starts no new clients, and lets those in flight finish.
    pub async fn end(self) {
        self.end.close();
        if let Ok(mut deeds) = self.task.await {
            let all = async { while deeds.join_next().await.is_some() {} };
            // Attempts that are cut off are recorded as not answered, or not at all if they were never sent.
            let _ = timeout(LAST_DEEDS, all).await;
        }
    }
}

async fn post(
    mut payments: Payments,
    client: Client,
    rate: u32,
    places: Arc<Semaphore>,
) -> JoinSet<()> {
    let mut deeds = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        while deeds.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return deeds;
        };
        let (client, deed) = (client.clone(), payments.next());
        deeds.spawn(async move {
            perform(&client, deed).await;
            drop(place);
        });
    }
}

async fn perform(client: &Client, deed: Deed) {
    match deed {
        Deed::Pay(payment) => client.pay(payment).await,
        Deed::Batch(payments) => client.pay_batch(payments).await,
        Deed::Twins(payment) => {
            tokio::join!(client.pay(payment.clone()), client.pay(payment));
        }
        Deed::HangUp(payment, after) => {
            client.hang_up(&payment, Duration::from_millis(after)).await;
            client.pay(payment).await;
        }
        Deed::Intrude(payment) => client.intrude(&payment).await,
    }
}
