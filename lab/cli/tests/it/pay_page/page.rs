//! One browser and one lab, with a network between them, for all cases of the pay page.

use std::time::Duration;

use lab_runner::part::PartName;
use lab_tasks::browser::{Browser, View};
use serde_json::Value;

use super::proxy::{Fate, Proxy};
use crate::test_lab::TestLab;

pub const RECORDED: &str = "Payment recorded";

const ROW_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Page {
    pub browser: Browser,
    pub proxy: Proxy,
    pub lab: TestLab,
}

impl Page {
    pub async fn of(lab: TestLab) -> Self {
        let proxy = Proxy::before(lab.lab.url(PartName::Alb)).await;
        let browser = Browser::open(View::DESKTOP).await.unwrap();
        Self {
            browser,
            proxy,
            lab,
        }
    }

    /// Starts as a first-time visitor.
    pub async fn start_over(&self) {
        self.proxy.reset();
        // Resets what a failed case left.
        self.browser.set_scripts(true).await.unwrap();
        self.browser.set_offline(false).await.unwrap();
        self.browser.show(View::DESKTOP).await.unwrap();
        // A page that follows no payment, and so stores none.
        let docs = format!("{}/docs", self.proxy.url);
        self.browser.goto(&docs).await.unwrap();
        self.run("sessionStorage.clear()").await;
        self.load().await;
        self.browser.complaints().await.unwrap();
    }

    pub async fn load(&self) {
        let url = format!("{}/pay", self.proxy.url);
        self.browser.goto(&url).await.unwrap();
    }

    pub async fn reload(&self) {
        self.run("window.isOld = true; location.reload()").await;
        let loaded = "document.readyState === 'complete' && !window.isOld";
        self.browser.until(loaded).await.unwrap();
    }

    pub async fn type_into(&self, field: &str, text: &str) {
        self.browser.type_into(field, text).await.unwrap();
    }

    pub async fn fill(&self, note: &str) {
        self.type_into("#amount", "1250.50").await;
        self.type_into("#payer_name", "Zoë Müller").await;
        self.type_into("#transaction", note).await;
    }

    pub async fn pay(&self, note: &str) {
        self.fill(note).await;
        self.click("#pay").await;
    }

    /// Pays, and neither the payment nor what asks for it gets an answer.
    pub async fn lose_answer(&self, note: &str) {
        let unavailable = serde_json::json!({"code": "status_unavailable"});
        self.proxy.all_asks(Fate::Forged(503, unavailable));
        self.proxy.posts([Fate::AnswerLost]);
        self.proxy.all_posts(Fate::RequestLost);
        self.pay(note).await;
        self.until_shown("No answer came.").await;
    }

    /// Waits until it can be clicked.
    pub async fn click(&self, css: &str) {
        let element = format!("document.querySelector({})", Value::from(css));
        let is_ready = format!(
            "{element}.checkVisibility({{ visibilityProperty: true }}) && {element}.ariaDisabled !== 'true'"
        );
        self.browser.until(&is_ready).await.unwrap();
        self.browser.click(css).await.unwrap();
    }

    pub async fn text(&self, css: &str) -> String {
        self.browser.text(css).await.unwrap()
    }

    pub async fn value(&self, field: &str) -> Value {
        let script = format!("return document.querySelector('{field}').value");
        self.run(&script).await
    }

    pub async fn focused(&self) -> Value {
        self.run("return document.activeElement.id").await
    }

    /// The payment's id, in the form and the URL.
    pub async fn id(&self) -> String {
        let form = self.value("[name=id]").await;
        let address = "return new URLSearchParams(location.search).get('id')";
        assert_eq!(self.run(address).await, form, "the address keeps the id");
        form.as_str().unwrap().to_owned()
    }

    pub async fn run(&self, script: &str) -> Value {
        self.browser.run(script, vec![]).await.unwrap()
    }

    /// Advances the page's clock.
    pub async fn skip(&self, minutes: u32) {
        let script = "const [minutes] = arguments, now = Date.now; Date.now = () => now() + minutes * 60_000;";
        let skipped = self.browser.run(script, vec![minutes.into()]);
        skipped.await.unwrap();
    }

    pub async fn until_shown(&self, text: &str) {
        self.browser.until_shown(text).await.unwrap();
    }

    pub async fn shows(&self, text: &str) -> bool {
        let shown = self.run("return document.body.innerText").await;
        shown.as_str().unwrap().contains(text)
    }

    /// Rows with a note: amount, currency, name.
    pub async fn rows(&self, note: &str) -> Vec<String> {
        self.lab.select(&rows_with(note)).await
    }

    /// Waits until these are the rows with a note.
    pub async fn until_rows(&self, note: &str, rows: &[&str]) {
        self.lab
            .until_selected(&rows_with(note), rows, ROW_TIMEOUT)
            .await;
    }

    /// Records a payment of 11.00 USD as any program would.
    pub async fn record(&self, id: &str) {
        let body = format!(r#"{{"id": "{id}", "transaction": "another", "amount": "11.00"}}"#);
        self.lab.until_accepted(&body).await;
        let select = format!("SELECT amount FROM payments.transactions WHERE payment_id = '{id}'");
        self.lab
            .until_selected(&select, &["11.0000"], ROW_TIMEOUT)
            .await;
    }
}

fn rows_with(note: &str) -> String {
    format!(
        "SELECT amount, currency, payer_name FROM payments.transactions WHERE transaction = '{note}'"
    )
}
