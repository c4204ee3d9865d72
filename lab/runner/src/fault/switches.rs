//! A client for a part's own fault switches, over HTTP.

use std::fmt::Write as _;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use server_kit::fault::{PATH, Setting};

use super::Error;
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

impl Switches {
    pub fn of(part: PartName, lab: &Lab) -> Result<Self, Error> {
        Ok(Self {
            part,
            url: format!("{}{PATH}", lab.url(part)),
            token: lab.credentials.control.clone(),
            client: http::client().map_err(|source| Error::Unreachable { part, source })?,
        })
    }

    pub async fn list(&self) -> Result<Vec<Fault>, Error> {
        self.ask(Method::GET, None, None).await
    }

    pub async fn set(&self, kind: &str, setting: &Setting) -> Result<Vec<Fault>, Error> {
        self.ask(Method::PUT, Some(kind), Some(setting)).await
    }

    pub async fn clear(&self, kind: Option<&str>) -> Result<Vec<Fault>, Error> {
        self.ask(Method::DELETE, kind, None).await
    }

    async fn ask(
        &self,
        method: Method,
        kind: Option<&str>,
        setting: Option<&Setting>,
    ) -> Result<Vec<Fault>, Error> {
        let part = self.part;
        let unreachable = |source: reqwest::Error| Error::Unreachable {
            part,
            source: source.without_url(),
        };
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
            .map_err(unreachable)?;
        match (answer.status(), kind) {
            (StatusCode::OK, _) => {
                let faults: Faults = answer.json().await.map_err(unreachable)?;
                Ok(faults.faults)
            }
            (StatusCode::NOT_FOUND, Some(kind)) => Err(Error::Unknown {
                part: part.as_str(),
                kind: kind.to_owned(),
                known: Box::pin(self.known()).await?,
            }),
            (status, _) => Err(Error::Refused {
                part,
                status,
                message: answer.text().await.map_err(unreachable)?,
            }),
        }
    }

    async fn known(&self) -> Result<String, Error> {
        let faults = self.list().await?;
        let kinds: Vec<_> = faults.into_iter().map(|fault| fault.kind).collect();
        Ok(kinds.join(", "))
    }
}
