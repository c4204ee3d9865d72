//! Fault injection through the interface of a test's server.

use reqwest::Method;
use serde_json::Value;

use super::{Lab, eventually};

pub const TOKEN: &str = "control-secret";
const PATH: &str = "/_lab/faults";

impl Lab {
    /// Returns status and body of an answer of the interface; `rest` follows its path.
    pub async fn ask_faults(
        &self,
        method: Method,
        rest: &str,
        token: Option<&str>,
        body: String,
    ) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{PATH}{rest}", self.endpoint());
        let mut request = client.request(method, url).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Switches a fault on.
    pub async fn fault(&self, name: &str, setting: Value) {
        let rest = format!("/{name}");
        let asked = self.ask_faults(Method::PUT, &rest, Some(TOKEN), setting.to_string());
        let (status, answer) = asked.await;
        assert_eq!(status, 200, "{name}: {answer}");
    }

    /// Switches all faults off.
    pub async fn heal(&self) {
        let asked = self.ask_faults(Method::DELETE, "", Some(TOKEN), String::new());
        assert_eq!(asked.await.0, 200);
    }

    /// Returns how often a fault was injected.
    pub async fn injected(&self, name: &str) -> u64 {
        let asked = self.ask_faults(Method::GET, "", Some(TOKEN), String::new());
        let (_, list) = asked.await;
        let faults = list["faults"].as_array().unwrap();
        let fault = faults.iter().find(|fault| fault["kind"] == name);
        fault.unwrap()["injected"].as_u64().unwrap()
    }

    pub async fn wait_for_injected(&self, name: &str, count: u64) {
        eventually(async || match self.injected(name).await {
            injected if injected == count => Ok(()),
            injected => Err(injected),
        })
        .await;
    }
}
