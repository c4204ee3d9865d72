//! The console in a browser, in front of a whole lab: what it shows is true, and its buttons work.

mod access;
mod buttons;
mod live;
mod pages;

use std::time::Duration;

use lab_runner::{part::PartName, state::status::Status};
use lab_tasks::browser::{Browser, View};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::test_lab::TestLab;

const ROW_TIMEOUT: Duration = Duration::from_mins(1);

struct Console {
    lab: TestLab,
    browser: Browser,
}

impl Console {
    async fn open() -> Self {
        Self::of(TestLab::up_with_console_and(&[])).await
    }

    async fn of(lab: TestLab) -> Self {
        let browser = Browser::open(View::DESKTOP).await.unwrap();
        let console = Self { lab, browser };
        console.goto("/").await;
        console
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.lab.lab.url(PartName::Console))
    }

    async fn goto(&self, path: &str) {
        self.browser.goto(&self.url(path)).await.unwrap();
    }

    async fn until_shown(&self, text: &str) {
        self.browser.until_shown(text).await.unwrap();
    }

    async fn until(&self, expression: &str) {
        self.browser.until(expression).await.unwrap();
    }

    async fn click(&self, css: &str) {
        self.browser.click(css).await.unwrap();
    }

    async fn run(&self, script: &str) -> Value {
        self.browser.run(script, vec![]).await.unwrap()
    }

    /// Sends so many payments, one after another, and waits for their rows.
    async fn pay(&self, count: usize) {
        self.pay_as("shown", count).await;
    }

    /// Sends payments under ids that start with a name.
    async fn pay_as(&self, name: &str, count: usize) {
        for number in 0..count {
            let body = json!({ "id": format!("{name}-{number}"), "amount": "12.50" });
            let answer = self.lab.post(body.to_string()).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED);
        }
        let select =
            format!("SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE '{name}-%'");
        let expected = count.to_string();
        self.lab
            .until_selected(&select, &[&expected], ROW_TIMEOUT)
            .await;
    }

    /// Updates the page as it does itself once a second.
    async fn refresh(&self) {
        self.run("return refresh().then(() => true)").await;
    }

    fn signal(&self, part: PartName, signal: Signal) {
        assert!(Status::signal(&self.lab.lab.dir, part, signal).unwrap());
    }
}

/// Script for the value of a tile, by its name.
fn tile(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('.tiles div')].find(tile => tile.querySelector('dt').textContent === '{name}')\
         .querySelector('strong').textContent"
    )
}
