//! A client for a part's own fault switches, over HTTP.

use std::fmt::Write as _;

use anyhow::{Error, Result, bail};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use server_kit::fault::{PATH, Setting};

use crate::{http, lab::Lab, part::PartName, secret::Secret};

#[derive(Clone, Debug)]
pub struct Switches {
    part: PartName,
    url: String,
    token: Secret,
    client: reqwest::Client,
}

/// A fault as its part reports it.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    pub kind: String,
    pub about: String,
    /// `None` if it is off.
    pub setting: Option<Setting>,
    /// Number of injections since the part started.
    pub injected: u64,
}

#[derive(Deserialize)]
struct Faults {
    faults: Vec<Fault>,
}

/// Wraps the error of a call to the part.
fn unreachable(part: PartName) -> impl Fn(reqwest::Error) -> Error {
    move |error| {
        Error::new(error.without_url()).context(format!(
            "cannot reach {part} to switch its faults; see `cargo lab status`"
        ))
    }
}

impl Switches {
    pub fn of(part: PartName, lab: &Lab) -> Result<Self> {
        Ok(Self {
            part,
            url: format!("{}{PATH}", lab.url(part)),
            token: lab.credentials.control.clone(),
            client: http::client().map_err(unreachable(part))?,
        })
    }

    pub async fn list(&self) -> Result<Vec<Fault>> {
        self.ask(Method::GET, None, None).await
    }

    pub async fn set(&self, kind: &str, setting: &Setting) -> Result<Vec<Fault>> {
        self.ask(Method::PUT, Some(kind), Some(setting)).await
    }

    pub async fn clear(&self, kind: Option<&str>) -> Result<Vec<Fault>> {
        self.ask(Method::DELETE, kind, None).await
    }

    async fn ask(
        &self,
        method: Method,
        kind: Option<&str>,
        setting: Option<&Setting>,
    ) -> Result<Vec<Fault>> {
        let part = self.part;
        let mut url = self.url.clone();
        if let Some(kind) = kind {
            // Writing to a string can't fail.
            let _ = write!(url, "/{kind}");
        }
        let mut request = self.client.request(method, url);
        if let Some(setting) = setting {
            request = request.json(setting);
        }
        let answer = request
            .bearer_auth(self.token.expose())
            .send()
            .await
            .map_err(unreachable(part))?;
        match (answer.status(), kind) {
            (StatusCode::OK, _) => {
                let faults: Faults = answer.json().await.map_err(unreachable(part))?;
                Ok(faults.faults)
            }
            (StatusCode::NOT_FOUND, Some(kind)) => {
                let known = Box::pin(self.known()).await?;
                bail!("{part} has no fault {kind}; known faults: {known}")
            }
            (status, _) => {
                let message = answer.text().await.map_err(unreachable(part))?;
                bail!("{part} answered {status} to a request about its faults: {message}")
            }
        }
    }

    async fn known(&self) -> Result<String> {
        let faults = self.list().await?;
        let kinds: Vec<_> = faults.into_iter().map(|fault| fault.kind).collect();
        Ok(kinds.join(", "))
    }
}
