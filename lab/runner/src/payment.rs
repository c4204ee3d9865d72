//! A payment as a client sends it, and its answer.

use std::time::Duration;

use anyhow::{Context as _, Result};
use http::{
    HeaderValue, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
    request,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    database::Client,
    http::{self as lab_http, CallError, TIMEOUT},
    known_client,
    lab::Lab,
    part_name::PartName,
};

const POLL: Duration = Duration::from_millis(50);

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
    /// Sends it to a lab's front door.
    pub async fn post(&self, lab: &Lab) -> Result<Answer> {
        let body = serde_json::to_string(self).context("cannot serialize the payment")?;
        let answer = Door::of(lab, TIMEOUT)?.post(body).await;
        let answer = answer.with_context(|| {
            let url = url(lab);
            format!("no answer from {url}: is the lab up? See `cargo lab status`")
        })?;
        let location = answer.headers.get(LOCATION);
        Ok(Answer {
            status: answer.status,
            location: location.and_then(|value| Some(value.to_str().ok()?.to_owned())),
            body: answer.body,
        })
    }
}

/// A lab's front door: with the lab's own key, if it has one.
#[derive(Clone, Debug)]
pub struct Door {
    client: lab_http::Client,
    url: String,
    authorization: Option<HeaderValue>,
}

impl Door {
    /// Waits so long for an answer.
    pub fn of(lab: &Lab, timeout: Duration) -> Result<Self> {
        let key = lab.settings.pay_key.as_ref();
        let authorization = key.map(known_client::authorization);
        Ok(Self {
            client: lab.client(timeout)?,
            url: url(lab),
            authorization: authorization.and_then(|value| HeaderValue::try_from(value).ok()),
        })
    }

    /// Posts a payment.
    pub async fn post(&self, json: String) -> Result<lab_http::Answer, CallError> {
        let request = Request::post(&self.url).header(CONTENT_TYPE, "application/json");
        self.call(request, json).await
    }

    /// Asks for a payment.
    pub async fn get(&self, id: &str) -> Result<lab_http::Answer, CallError> {
        let request = Request::get(format!("{}/{id}", self.url));
        self.call(request, String::new()).await
    }

    async fn call(
        &self,
        request: request::Builder,
        body: String,
    ) -> Result<lab_http::Answer, CallError> {
        let mut request = request.body(body.into())?;
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        self.client.call(request).await
    }
}

/// Where a lab takes payments.
pub fn url(lab: &Lab) -> String {
    format!("{}/pay", lab.url(PartName::Alb))
}

/// Waits for a payment's row, and returns it as a table; nothing if it isn't there after `timeout`.
pub async fn row(client: &Client, id: &str, timeout: Duration) -> Result<Option<String>> {
    let select = format!(
        "SELECT id, payment_id, transaction, amount, currency, status, received_at \
         FROM payments.transactions WHERE payment_id = '{id}';"
    );
    let deadline = Instant::now() + timeout;
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
