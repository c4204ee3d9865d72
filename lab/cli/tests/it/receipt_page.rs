//! The form without scripts, and the receipt: in a browser, in front of a whole lab, with a proxy between them that
//! loses what it is told to.

use std::{
    mem,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use lab_runner::{part::PartName, workspace::Workspace};
use lab_tasks::browser::{Browser, View, axe::Axe};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::test_lab::TestLab;

const ROW_TIMEOUT: Duration = Duration::from_secs(30);

/// What happens to the next POST; later ones pass.
#[derive(Clone, Copy, Default, PartialEq)]
enum Loss {
    #[default]
    Nothing,
    Request,
    Answer,
}

/// The beginning of an answer that never completes. A browser whose connection ends before it sends the request again
/// by itself.
const CUT_OFF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n";

/// A proxy to the lab's front door that loses what it is told to. Each connection carries one request.
struct Line {
    addr: SocketAddr,
    next: Arc<Mutex<Loss>>,
}

impl Line {
    async fn to(door: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let next = Arc::new(Mutex::default());
        let loss = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(pass(browser, door, Arc::clone(&loss)));
            }
        });
        Self { addr, next }
    }

    fn lose(&self, loss: Loss) {
        *self.next.lock().unwrap() = loss;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

async fn pass(mut browser: TcpStream, door: SocketAddr, next: Arc<Mutex<Loss>>) -> Option<()> {
    let request = read_request(&mut browser).await?;
    let loss = if request.starts_with("POST") {
        mem::take(&mut *next.lock().unwrap())
    } else {
        Loss::Nothing
    };
    if loss == Loss::Request {
        return browser.write_all(CUT_OFF).await.ok();
    }
    let mut server = TcpStream::connect(door).await.ok()?;
    let request = request.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
    let request = request.replace("Connection: keep-alive\r\n", "");
    server.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    let answer = if loss == Loss::Answer {
        CUT_OFF
    } else {
        &answer
    };
    browser.write_all(answer).await.ok()
}

async fn read_request(browser: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(Some(0), |length| length.parse().ok())? {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match browser.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => text.push_str(str::from_utf8(&buffer[..read]).ok()?),
        }
    }
}

struct Page {
    lab: TestLab,
    line: Line,
    browser: Browser,
}

impl Page {
    async fn open() -> Self {
        let lab = TestLab::up();
        let door = lab.lab.url(PartName::Alb);
        let door = door.trim_start_matches("http://").parse().unwrap();
        let line = Line::to(door).await;
        let browser = Browser::open(View::DESKTOP).await.unwrap();
        Self { lab, line, browser }
    }

    async fn goto(&self, path: &str) {
        self.browser.goto(&self.line.url(path)).await.unwrap();
    }

    async fn pay(&self, name: &str) {
        for (field, text) in [("#amount", "1250,50"), ("#payer_name", name)] {
            let empty = format!("document.querySelector('{field}').value = ''");
            self.browser.run(&empty, vec![]).await.unwrap();
            self.browser.type_into(field, text).await.unwrap();
        }
        // The page that appears may be the browser's own error page.
        let _ = self.browser.click("#pay").await;
    }

    /// Goes back from the browser's own error page.
    async fn back(&self) {
        self.browser
            .until("!document.getElementById('pay')")
            .await
            .unwrap();
        self.browser.run("history.back()", vec![]).await.unwrap();
    }

    async fn until_shown(&self, text: &str) {
        self.browser.until_shown(text).await.unwrap();
    }

    async fn until_rows(&self, id: &str, rows: &[&str]) {
        let select = format!(
            "SELECT amount, payer_name FROM payments.transactions WHERE payment_id = '{id}'"
        );
        self.lab.until_selected(&select, rows, ROW_TIMEOUT).await;
    }
}

/// One lab for all: each step uses another payment.
#[tokio::test]
async fn p4_without_a_script_every_way_back_pays_once_and_the_receipt_tells() {
    let page = Page::open().await;
    page.browser.set_scripts(false).await.unwrap();
    a_lost_answer_and_back_show_the_receipt(&page).await;
    a_lost_request_and_back_show_the_form_under_the_same_id(&page).await;
    the_loser_of_an_id_reads_that_nothing_of_his_was_made(&page).await;
    too_much_text_is_a_page(&page).await;
    page.browser.set_scripts(true).await.unwrap();
    a_receipt_is_read_copied_and_no_name_turns_it_around(&page).await;
    other_sites_cannot_pay(&page).await;
}

async fn a_lost_answer_and_back_show_the_receipt(page: &Page) {
    page.goto("/pay?id=lost-answer").await;
    page.line.lose(Loss::Answer);
    page.pay("Jane").await;
    page.until_rows("lost-answer", &["1250.5000\tJane"]).await;
    page.back().await;
    page.until_shown("Payment recorded").await;
    for text in ["1,250.50", "USD", "UTC", "lost-answer"] {
        page.until_shown(text).await;
    }
    page.goto("/pay?id=lost-answer").await;
    page.until_shown("Payment recorded").await;
}

async fn a_lost_request_and_back_show_the_form_under_the_same_id(page: &Page) {
    page.goto("/pay?id=lost-request").await;
    page.line.lose(Loss::Request);
    page.pay("Zoë").await;
    page.back().await;
    page.until_shown("Make a payment").await;
    page.pay("Zoë").await;
    page.until_shown("Payment accepted").await;
    for text in ["1,250.50", "USD", "Zoë", "UTC"] {
        page.until_shown(text).await;
    }
    page.until_rows("lost-request", &["1250.5000\tZoë"]).await;
    // The form is sent again by a reload.
    page.browser.run("history.go(0)", vec![]).await.unwrap();
    page.until_shown("Payment accepted").await;
    page.until_rows("lost-request", &["1250.5000\tZoë"]).await;
}

async fn the_loser_of_an_id_reads_that_nothing_of_his_was_made(page: &Page) {
    page.goto("/pay?id=taken").await;
    let winner = r#"{"id":"taken","amount":"77.70","currency":"EUR","payer_name":"Winner"}"#;
    assert_eq!(page.lab.post(winner).await.status, 202);
    page.until_rows("taken", &["77.7000\tWinner"]).await;
    page.pay("Loser").await;
    page.until_shown("What you sent last was not made").await;
    let shown = page.browser.text("main").await.unwrap();
    assert!(
        !shown.contains("77.70") && !shown.contains("Winner"),
        "{shown}"
    );
    page.browser.click("#ask a").await.unwrap();
    page.until_shown("77.70").await;
    let shown = page.browser.text("main").await.unwrap();
    assert!(!shown.contains("Loser"), "{shown}");
}

async fn too_much_text_is_a_page(page: &Page) {
    page.goto("/pay?id=too-long").await;
    let fill = "document.getElementById('transaction').value = 'x'.repeat(17000)";
    page.browser.run(fill, vec![]).await.unwrap();
    page.pay("Jane").await;
    page.until_shown("Nothing was paid this time.").await;
    page.until_shown("too much text").await;
    let kept = "const { id, transaction } = document.forms[0].elements; return [id.value, transaction.value.length]";
    let kept = page.browser.run(kept, vec![]).await.unwrap();
    assert_eq!(kept, serde_json::json!(["too-long", 17_000]));
}

async fn a_receipt_is_read_copied_and_no_name_turns_it_around(page: &Page) {
    let note = "note \u{202e}00.001 rof";
    let payment = serde_json::json!({"id": "turned", "amount": "3", "transaction": note});
    assert_eq!(page.lab.post(payment.to_string()).await.status, 202);
    let select = "SELECT transaction FROM payments.transactions WHERE payment_id = 'turned'";
    page.lab.until_selected(select, &[note], ROW_TIMEOUT).await;
    page.goto("/pay/turned").await;
    page.until_shown("Payment recorded").await;
    let isolated = "[...document.querySelectorAll('bdi')].map((bdi) => \
                    [bdi.textContent, getComputedStyle(bdi).unicodeBidi])";
    let isolated = page
        .browser
        .run(&format!("return {isolated}"), vec![])
        .await;
    assert_eq!(isolated.unwrap(), serde_json::json!([[note, "isolate"]]));

    page.browser.click("#copy").await.unwrap();
    page.browser
        .until("document.getElementById('copy').textContent === 'Copied'")
        .await
        .unwrap();
    let axe = Axe::install(&Workspace::find().unwrap()).await.unwrap();
    for path in ["/pay/turned", "/pay/unknown"] {
        page.goto(path).await;
        for view in [View::PHONE, View::PHONE.dark(), View::DESKTOP] {
            page.browser.show(view).await.unwrap();
            let found = page.browser.violations(&axe).await.unwrap();
            assert!(found.is_empty(), "{path} {view:?}: {found:#?}");
            assert_eq!(page.browser.overflow().await.unwrap(), 0, "{path} {view:?}");
        }
    }
    page.until_shown("No payment is known under this number")
        .await;
}

async fn other_sites_cannot_pay(page: &Page) {
    let form = format!(
        "data:text/html,<form method=post action='{}'><input name=id value=forged>\
         <input name=amount value=1><button id=pay>Pay</button></form>",
        page.line.url("/pay")
    );
    page.browser.goto(&form).await.unwrap();
    page.browser.click("#pay").await.unwrap();
    page.until_shown("a page of another site").await;
    page.until_rows("forged", &[]).await;
}
