//! A payment as a client sends it, and its answer.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    database::{self, Client},
    http,
};

const POLL: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot serialize the payment")]
    Json(#[source] serde_json::Error),
    #[error("no answer from {url}: is the lab up? See `cargo lab status`")]
    Http {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error(transparent)]
    Database(#[from] database::Error),
}

#[derive(Debug, Default, Serialize)]
pub struct Payment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// A string, so that every digit is preserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_name: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub body: String,
}

impl Payment {
    pub async fn post(&self, url: &str) -> Result<Answer, Error> {
        let body = serde_json::to_string(self).map_err(Error::Json)?;
        let failed = |source: reqwest::Error| Error::Http {
            url: url.to_owned(),
            source: source.without_url(),
        };
        let response = http::client()
            .map_err(failed)?
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await
            .map_err(failed)?;
        let location = response.headers().get(LOCATION);
        Ok(Answer {
            status: response.status(),
            location: location.and_then(|value| Some(value.to_str().ok()?.to_owned())),
            body: response.text().await.map_err(failed)?,
        })
    }
}

/// Waits for a payment's row, and returns it as a table; nothing if it isn't there after `patience`.
pub async fn row(client: &Client, id: &str, patience: Duration) -> Result<Option<String>, Error> {
    let select = format!(
        "SELECT id, payment_id, transaction, amount, currency, status, received_at \
         FROM payments.transactions WHERE payment_id = '{id}';"
    );
    let deadline = Instant::now() + patience;
    loop {
        let table = client.table(&select).await?;
        if !table.is_empty() {
            return Ok(Some(table));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(POLL).await;
    }
}
