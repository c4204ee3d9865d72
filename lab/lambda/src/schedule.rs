//! Invokes the function on a schedule, as an EventBridge rule does.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::config::ScheduleConfig;
use crate::queue::{AcceptError, Queue};

/// Queues an event at every tick.
#[derive(Debug)]
pub struct Schedule {
    pub config: ScheduleConfig,
    pub queue: Arc<Queue>,
    pub region: String,
    pub account_id: String,
}

impl Schedule {
    /// Ticks until `stopping`. A tick is skipped while the event of an earlier one is waiting or in flight; the first
    /// tick after a restart does not know of an earlier one.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut ticks = interval(Duration::from_secs(self.config.every_seconds));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick of an interval is immediate; a rule's comes after its period.
        ticks.tick().await;
        let mut last = None;
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                _ = ticks.tick() => {}
            }
            if last.is_some_and(|id| self.queue.holds(id)) {
                tracing::debug!("scheduled run left out: the last one is not done");
                continue;
            }
            last = match self.tick().await {
                Ok(id) => Some(id),
                Err(error) => {
                    tracing::warn!(?error, "a scheduled event was not queued");
                    None
                }
            };
        }
    }

    async fn tick(&self) -> Result<Uuid, AcceptError> {
        let id = Uuid::now_v7();
        let payload = match &self.config.payload {
            Some(payload) => to_raw_value(payload),
            None => to_raw_value(&self.scheduled_event(id)),
        };
        self.queue
            .accept(id, payload.map_err(io::Error::from)?)
            .await?;
        Ok(id)
    }

    fn scheduled_event(&self, id: Uuid) -> Value {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let time = OffsetDateTime::now_utc().format(format).unwrap_or_default();
        let (region, account) = (&self.region, &self.account_id);
        json!({
            "version": "0",
            "id": id.to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": time,
            "region": region,
            "resources": [format!("arn:aws:events:{region}:{account}:rule/schedule")],
            "detail": {},
        })
    }
}
