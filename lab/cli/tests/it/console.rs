//! The console in a browser, in front of a whole lab: what it shows is true, and its buttons work.

mod access;

use std::time::Duration;

use aws_sdk_s3::types::ServerSideEncryption;
use lab_runner::{lab::BUCKET, part::PartName, state::status::Status};
use lab_tasks::browser::{Browser, View};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    clients::{self, BODY, Clients, bearer},
    test_lab::TestLab,
};

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

#[tokio::test]
async fn p11_every_page_shows_what_the_parts_did_and_what_vouches_for_it() {
    let console = Console::open().await;
    console.pay(30).await;
    // `up` sent one before.
    let paid = "31";
    console
        .until(&format!("{} === '{paid}'", tile("Rows")))
        .await;
    console
        .until(&format!("{} === '0'", tile("Dead letters")))
        .await;
    console
        .until(&format!("Number({}) > 0", tile("Accepted")))
        .await;
    let charts = "document.querySelectorAll('[data-chart] canvas').length === 2";
    console.until(charts).await;

    console.goto("/load-balancers").await;
    let requests = "[...document.querySelectorAll('.map')].map(map => \
        [...map.querySelectorAll('tbody tr')].reduce((sum, row) => sum + Number(row.cells[3].textContent), 0))";
    let seen = console.run(&format!("return {requests}")).await;
    assert_eq!(seen, json!([31, 31]), "each payment went through both");
    let healthy = console
        .run("return document.querySelectorAll('.map .state.healthy').length")
        .await;
    assert_eq!(healthy, 4);

    console.goto("/lambda").await;
    let runs = console
        .run(&format!("return Number({})", tile("Runs")))
        .await;
    let objects = console
        .lab
        .select("SELECT COUNT(*) FROM payments.ingested_objects")
        .await;
    assert!(
        runs.as_u64() >= objects[0].parse().ok(),
        "{runs} {objects:?}"
    );
    let listed = console
        .run("return document.querySelectorAll('#runs ~ .scroll tbody tr').length")
        .await;
    assert_eq!(listed, runs, "fewer than are remembered");

    console.goto("/database").await;
    console.until_shown("shown-29").await;
    let row = "[...document.querySelectorAll('tbody tr')].find(row => row.textContent.includes('shown-29')).innerText";
    let row = console.run(&format!("return {row}")).await.to_string();
    for cell in ["12.5000", "USD", "processed"] {
        assert!(row.contains(cell), "{row}");
    }

    console.goto("/s3").await;
    let object = console
        .run("return document.querySelector('tbody a').href")
        .await;
    console
        .browser
        .goto(object.as_str().unwrap())
        .await
        .unwrap();
    console.until_shown("shown-29").await;
    console.click("tbody a").await;
    console.until_shown("POST /process: 202").await;
    console.until_shown("POST /pay: 202").await;
    console.until_shown("recorded").await;

    console
        .browser
        .type_into("#search", "shown-3\n")
        .await
        .unwrap();
    console
        .until("location.pathname === '/payments/shown%2D3'")
        .await;
    console.until_shown("12.50 USD").await;
    let chain = console
        .run("return document.getElementById('chain-1').parentElement.innerText")
        .await
        .to_string();
    for shown in ["SHA-256", "Run", "named, with this hash", "Named by"] {
        assert!(chain.contains(shown), "{chain}");
    }
    console.goto("/payments/nobody").await;
    console
        .until_shown("Nothing is known of this payment.")
        .await;

    console.goto("/network").await;
    console.until_shown("FinTechVPC 10.0.0.0/16").await;
    assert_eq!(console.browser.complaints().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn p10_each_clients_payment_is_shown_and_the_buttons_pay_by_key() {
    let clients = Clients::new();
    let (shop, other) = (clients.add("shop", &[]), clients.add("other", &[]));
    let file = clients.file();
    let known = ["--clients", file.to_str().unwrap(), "--pay-key", &shop];
    let console = Console::of(TestLab::up_with_console_and(&known)).await;
    for key in [&shop, &other] {
        let (status, _) = clients::pay(&console.lab, bearer(key), BODY).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'shared'";
    console
        .lab
        .until_selected(select, &["2"], ROW_TIMEOUT)
        .await;
    console.goto("/payments/shared").await;
    for shown in ["Of client other", "Of client shop", "POST /process: 202"] {
        console.until_shown(shown).await;
    }
    let recorded = "document.querySelectorAll('.lead .state.healthy').length === 2";
    console.until(recorded).await;

    console.goto("/").await;
    console.click("#send-one button").await;
    console.until_shown("1 of 1 accepted").await;
    let select = "SELECT DISTINCT client FROM payments.transactions \
                  WHERE payment_id LIKE 'console-%' OR payment_id LIKE 'lab-%'";
    console
        .lab
        .until_selected(select, &["shop"], ROW_TIMEOUT)
        .await;
    assert_eq!(console.browser.complaints().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_part_that_is_killed_is_seen_to_come_back() {
    let console = Console::open().await;
    let before = console.lab.part(PartName::AppA).pid;
    console.click("button[value='app-a']").await;
    console.until_shown("app-a was killed").await;
    console.until_shown("app-a died").await;
    let healthy = "document.querySelector('#node-app-a .state').classList.contains('healthy')";
    console.until(healthy).await;
    let after = console.lab.part(PartName::AppA);
    assert_ne!(after.pid, before);
    console.lab.until_accepted(r#"{"id":"after"}"#).await;
}

#[tokio::test]
async fn a_stall_is_shown_and_so_is_the_age_of_figures() {
    let console = Console::open().await;
    console
        .until_shown("All parts are healthy, and no fault is on.")
        .await;
    console
        .until(r"/^As of \d\d:\d\d:\d\d UTC, \d+ s ago$/.test(document.getElementById('age').textContent)")
        .await;

    console.signal(PartName::WebB, Signal::SIGSTOP);
    console
        .until("document.querySelector('#node-web-b .state').classList.contains('stalled')")
        .await;
    console.until_shown("web-b is stalled").await;
    console.until_shown("web-b does not answer").await;
    console.signal(PartName::WebB, Signal::SIGCONT);
    console.until_shown("web-b answers again").await;

    console.signal(PartName::S3, Signal::SIGSTOP);
    for path in ["/s3", "/s3?prefix=transactions%2F", "/faults"] {
        console.goto(path).await;
        console.until_shown("no answer within 1.5 s").await;
    }
    console.until_shown("s3 is stalled").await;
    console.signal(PartName::S3, Signal::SIGCONT);
    console.until("!document.querySelector('.banner')").await;

    console.signal(PartName::Mysql, Signal::SIGSTOP);
    console.goto("/payments/nobody").await;
    console.until_shown("the database does not answer").await;
    console.goto("/database").await;
    console.until_shown("rows as of").await;
    console.signal(PartName::Mysql, Signal::SIGCONT);
    console.until("!document.querySelector('.banner')").await;

    // Stops the console itself: the browser shows old figures, and only the page can say so.
    console.signal(PartName::Console, Signal::SIGSTOP);
    console
        .until_shown("Out of date: the console's last figures are of")
        .await;
    console.until_shown("it does not answer").await;
    console.signal(PartName::Console, Signal::SIGCONT);
    console
        .until("document.getElementById('stale').hidden")
        .await;
}

#[tokio::test]
async fn rows_stay_under_the_pointer_and_a_press_opens_what_was_pressed() {
    let console = Console::open().await;
    console.pay(3).await;
    console.goto("/database").await;
    let link = "a[href='/payments/shown%2D1']";
    let first = "return document.querySelector('#rows tr').textContent";
    let top = format!("return document.querySelector(\"{link}\").getBoundingClientRect().top");
    console
        .run(&format!(
            "window.row = document.querySelector(\"{link}\").closest('tr')"
        ))
        .await;

    console.browser.hover(link).await.unwrap();
    let before = (console.run(first).await, console.run(&top).await);
    console.pay_as("hovered", 2).await;
    console.refresh().await;
    assert_eq!((console.run(first).await, console.run(&top).await), before);
    console.until_shown("the rows under the pointer are").await;

    // So narrow that what is ill needs more than a line.
    let narrow = View {
        width: 600,
        height: 1400,
        ..View::DESKTOP
    };
    console.browser.show(narrow).await.unwrap();
    console.browser.hover(link).await.unwrap();
    console.refresh().await;
    let before = console.run(&top).await;
    let stopped = [PartName::WebA, PartName::WebB, PartName::AppA];
    for part in stopped {
        console.signal(part, Signal::SIGSTOP);
    }
    console
        .until("document.querySelectorAll('#state [role=status] span').length > 2")
        .await;
    assert_eq!(console.run(&top).await, before, "the state grew above");
    for part in stopped {
        console.signal(part, Signal::SIGCONT);
    }
    console.until("!document.querySelector('.banner')").await;
    console.browser.show(View::DESKTOP).await.unwrap();

    console.browser.hover("h1").await.unwrap();
    console.until_shown("hovered-1").await;
    let is_kept = "return row.isConnected && row.textContent.includes('shown-1')";
    assert_eq!(console.run(is_kept).await, true, "a row is one element");

    console.browser.hold(link).await.unwrap();
    console.pay_as("pressed", 2).await;
    console.refresh().await;
    console.browser.let_go().await.unwrap();
    console
        .until("location.pathname === '/payments/shown%2D1'")
        .await;
}

#[tokio::test]
async fn a_direction_override_in_a_name_stays_within_the_name() {
    let console = Console::open().await;
    let name = "Mallory \u{202e}00.01";
    let body =
        json!({ "id": "turned", "payer_name": name, "transaction": name, "amount": "10.00" });
    assert_eq!(
        console.lab.post(body.to_string()).await.status,
        StatusCode::ACCEPTED
    );
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'turned'";
    console
        .lab
        .until_selected(select, &["1"], ROW_TIMEOUT)
        .await;
    let key = format!("transactions/{name}.json");
    let put = console.lab.s3(&console.lab.lab.credentials.aws.operator);
    put.put_object()
        .bucket(BUCKET)
        .key(&key)
        .body(body.to_string().into_bytes().into())
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
    let shown = r"[...document.querySelectorAll('bdi')].some(name => name.textContent.includes('Mallory \\u202e00.01'))";
    for path in [
        "/database",
        "/payments/turned",
        "/s3?prefix=transactions%2F",
        &format!(
            "/s3/object?key={}",
            key.replace(' ', "%20").replace('\u{202e}', "%E2%80%AE")
        ),
    ] {
        console.goto(path).await;
        console.until(shown).await;
        let raw = "return document.title.includes('\\u202e') || document.body.innerHTML.includes('\\u202e')";
        assert_eq!(console.run(raw).await, false, "{path}");
    }
}

#[tokio::test]
async fn dead_letters_are_shown_and_redriven() {
    let console = Console::open().await;
    console.goto("/faults").await;
    // Longer than all attempts at an event take.
    console
        .run("document.getElementById('for-s3-truncated-get').value = '20'")
        .await;
    console.click("button[aria-label='truncated-get on']").await;
    console.until_shown("fault s3/truncated-get").await;
    let answer = console.lab.post(r#"{"id":"unlucky"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);

    console.goto("/lambda").await;
    console
        .until(&format!("{} === '1'", tile("Dead letters")))
        .await;
    console.click(".banner button").await;
    console.until_shown("all faults are off").await;
    console.click(".redrive button").await;
    console.until_shown("dead letters were replayed").await;
    console
        .until(&format!("{} === '0'", tile("Dead letters")))
        .await;
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'unlucky'";
    assert_eq!(console.lab.select(select).await, ["1"]);
}

#[tokio::test]
async fn payments_go_on_while_the_database_is_away_and_its_fault_ends_by_itself() {
    let console = Console::open().await;
    console.click("button[name=rate][value='50']").await;
    console.until_shown("50 payments per second").await;
    console.goto("/faults").await;
    console
        .run("document.getElementById('for-mysql-down').value = '3'")
        .await;
    console.click("button[aria-label='down on']").await;
    console.until_shown("mysql/down is on for 3 s").await;
    console.goto("/").await;
    console.until_shown("mysql is").await;
    console.until_shown("mysql/down is over").await;
    console.click("button[name=rate][value='0']").await;
    console.until_shown("the payments of the console end").await;
    console.until("!document.querySelector('.banner')").await;
    let sent =
        "document.querySelector('.traffic p').textContent.match(/([0-9,]+) of ([0-9,]+) accepted/)";
    console.until(&format!("{sent}[1] === {sent}[2]")).await;
    let sent = console.run(&format!("return {sent}[2]")).await;
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'console-%'";
    let expected = sent.as_str().unwrap().replace(',', "");
    console
        .lab
        .until_selected(select, &[&expected], ROW_TIMEOUT)
        .await;
}
