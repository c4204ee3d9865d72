//! The pay page as people meet it: in a browser, before a whole lab.

use lab_runner::{part::PartName, workspace::Workspace};
use lab_tasks::browser::{Browser, Key, View, axe::Axe};
use payment_core::ErrorCode;
use serde_json::{Value, json};

use crate::test_lab::TestLab;

const FORM: [(&str, &str); 3] = [
    ("#amount", "1250.50"),
    ("#payer_name", "Zoë Müller"),
    ("#transaction", "Invoice 1234"),
];

const RECORDED: &str = "Payment recorded";

/// How often the page sent a payment, and its ids.
const COUNT_POSTS: &str = "
    window.sent = [];
    const fetched = window.fetch;
    window.fetch = (url, options) => {
        if (options?.method === 'POST') window.sent.push(JSON.parse(options.body).id);
        return fetched(url, options);
    };";

struct Page {
    lab: TestLab,
    browser: Browser,
}

impl Page {
    async fn open() -> Self {
        let lab = TestLab::up();
        let browser = Browser::open(View::DESKTOP).await.unwrap();
        browser.goto(&url(&lab)).await.unwrap();
        Self { lab, browser }
    }

    async fn fill(&self) {
        for (field, text) in FORM {
            self.browser.type_into(field, text).await.unwrap();
        }
    }

    async fn run(&self, script: &str) -> Value {
        self.browser.run(script, vec![]).await.unwrap()
    }

    async fn until_shown(&self, text: &str) {
        self.browser.until_shown(text).await.unwrap();
    }

    /// Rows that the page made: amount, currency, name, note.
    async fn rows(&self) -> Vec<String> {
        let select = "SELECT amount, currency, payer_name, transaction FROM payments.transactions \
                      WHERE payment_id LIKE 'tx%'";
        self.lab.select(select).await
    }
}

fn url(lab: &TestLab) -> String {
    format!("{}/pay", lab.lab.url(PartName::Alb))
}

const ROW: &str = "1250.5000\tUSD\tZoë Müller\tInvoice 1234";

#[tokio::test]
async fn p4_a_payment_is_followed_to_its_row_and_a_double_click_or_a_reload_pays_once() {
    let page = Page::open().await;
    page.fill().await;
    page.run(COUNT_POSTS).await;
    let shown = page.browser.text("#pay").await.unwrap();
    assert_eq!(shown, "Pay 1250.50 USD");
    // Both clicks come before the page could do anything in between.
    page.run("const pay = document.getElementById('pay'); pay.click(); pay.click();")
        .await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.run("return window.sent.length").await, 1);
    for text in ["1,250.50", "Zoë Müller", "Invoice 1234", "In the log"] {
        page.until_shown(text).await;
    }
    assert_eq!(page.rows().await, [ROW]);

    page.browser.goto(&url(&page.lab)).await.unwrap();
    page.until_shown(RECORDED).await;
    assert_eq!(page.rows().await, [ROW]);

    page.browser.click("#another").await.unwrap();
    page.fill().await;
    page.browser.click("#pay").await.unwrap();
    page.until_shown(RECORDED).await;
    let rows = page.rows().await;
    assert_eq!(rows, [ROW, ROW], "another payment has an id of its own");
    let complaints = page.browser.complaints().await.unwrap();
    // The other node does not know the payment before it is a row.
    let other = complaints.iter().filter(|text| !text.contains("404"));
    assert_eq!(other.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn p4_offline_the_payment_waits_and_a_lost_answer_is_asked_for_again_under_the_same_id() {
    let page = Page::open().await;
    page.fill().await;
    page.run(COUNT_POSTS).await;
    page.browser.set_offline(true).await.unwrap();
    page.browser.click("#pay").await.unwrap();
    page.until_shown("You are offline.").await;
    page.browser.set_offline(false).await.unwrap();
    page.until_shown(RECORDED).await;

    // The next answer is lost on its way, once.
    page.browser.click("#another").await.unwrap();
    page.fill().await;
    page.run(
        "window.sent = [];
         const counted = window.fetch;
         let lost = false;
         window.fetch = async (url, options) => {
             const answer = await counted(url, options);
             if (options?.method !== 'POST' || lost) return answer;
             lost = true;
             throw new TypeError('the answer is lost');
         };",
    )
    .await;
    page.browser.click("#pay").await.unwrap();
    page.until_shown("No answer came.").await;
    page.until_shown(RECORDED).await;
    let sent = page.run("return window.sent").await;
    assert_eq!(sent.as_array().unwrap().len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(page.rows().await, [ROW, ROW]);
}

/// Texts are found by the answer's code: each code has its own, and no English of a server's inside.
#[tokio::test]
async fn every_error_has_words_for_people_and_keeps_what_was_typed() {
    let page = Page::open().await;
    let words = page
        .browser
        .run(
            "return import(document.querySelector('script').src.replace('pay.js', 'send.js')).then((m) => m.WORDS)",
            vec![],
        )
        .await
        .unwrap();
    for code in ErrorCode::ALL {
        let expected = words[code.code()].as_str();
        let expected = expected.unwrap_or_else(|| panic!("{} has no words", code.code()));
        // Else the page would go on with what it could not send.
        page.run("sessionStorage.clear()").await;
        page.browser.goto(&url(&page.lab)).await.unwrap();
        page.fill().await;
        let refusal = json!({"code": code.code(), "detail": "words of a server"});
        let script = "const [status, body] = arguments;
             const fetched = window.fetch;
             window.fetch = (url, options) => options?.method === 'POST'
                 ? Promise.resolve(new Response(JSON.stringify(body), { status }))
                 : fetched(url, options);";
        let arguments = vec![code.status().into(), refusal];
        page.browser.run(script, arguments).await.unwrap();
        page.browser.click("#pay").await.unwrap();
        page.until_shown(expected).await;
        let typed = page.run("return document.getElementById('amount').value");
        assert_eq!(typed.await, "1250.50", "{}", code.code());
    }
}

#[tokio::test]
async fn a_mistake_is_named_beside_its_field_and_nothing_is_sent() {
    let page = Page::open().await;
    page.run(COUNT_POSTS).await;
    for (field, text, words) in [
        ("#amount", "1.5.5", "Enter a number such as"),
        ("#amount", "0", "more than 0"),
        ("#amount", "1.234", "USD has at most 2 decimals."),
        ("#payer_name", "4111 1111 1111 1111", "card number"),
    ] {
        page.run("document.getElementById('form').reset()").await;
        page.browser.type_into(field, text).await.unwrap();
        page.browser.press(Key::Enter).await.unwrap();
        page.until_shown(words).await;
    }
    let focused = page.run("return document.activeElement.id").await;
    assert_eq!(focused, "amount", "the first field that is wrong");
    assert_eq!(page.run("return window.sent.length").await, 0);
    assert_eq!(page.rows().await, [""; 0]);
}

/// The page's rules are a second writing of the server's. The table of examples that the door, the reader and the form
/// are held to holds for them as well.
#[tokio::test]
async fn the_pages_rules_are_the_servers() {
    const TABLE: &str = include_str!("../../../../crates/payment-core/tests/examples.json");
    let page = Page::open().await;
    let script = "
        const [table] = arguments;
        return import(document.querySelector('script').src.replace('pay.js', 'rules.js')).then(({ CARD, checks }) => {
            const options = [...document.querySelectorAll('#currency option')];
            const offered = (code) => options.find((option) => option.value === code);
            const isFree = (text) => checks.payer_name(text, { chars: 1000 }) !== CARD;
            const isPaid = ({ typed, currency }) =>
                checks.amount(typed, { code: currency, decimals: Number(offered(currency).dataset.decimals) }) === '';
            return [
                ...table.cards.filter(({ text, found }) => isFree(text) === found),
                ...table.names.filter((name) => !isFree(name)),
                ...table.amounts.filter((amount) => isPaid(amount) !== (amount.paid !== null)),
                ...table.currencies.filter(({ code, current }) => !!offered(code) !== current),
            ];
        });";
    let table: Value = serde_json::from_str(TABLE).unwrap();
    let wrong = page.browser.run(script, vec![table]).await.unwrap();
    assert_eq!(wrong, json!([]));
}

#[tokio::test]
async fn without_a_script_the_plain_form_pays() {
    let page = Page::open().await;
    page.browser.set_scripts(false).await.unwrap();
    page.browser.goto(&url(&page.lab)).await.unwrap();
    page.fill().await;
    page.browser.click("#pay").await.unwrap();
    let title = page.browser.text("h1").await.unwrap();
    assert_eq!(title, "Payment accepted");
    let select = "SELECT amount, payer_name FROM payments.transactions WHERE payment_id LIKE 'tx%'";
    let row = ["1250.5000\tZoë Müller"];
    let patience = std::time::Duration::from_secs(30);
    page.lab.until_selected(select, &row, patience).await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let page = Page::open().await;
    page.browser.press(Key::Tab).await.unwrap();
    page.browser.press("12.50").await.unwrap();
    page.browser.press(Key::Tab + "eur").await.unwrap();
    page.browser.press(Key::Tab + "Jane").await.unwrap();
    page.browser.press(Key::Tab + "Tea").await.unwrap();
    page.browser.press(Key::Tab).await.unwrap();
    let focused = page.run("return document.activeElement.id").await;
    assert_eq!(focused, "pay");
    page.browser.press(Key::Enter).await.unwrap();
    page.until_shown(RECORDED).await;
    let focused = page.run("return document.activeElement.id").await;
    assert_eq!(focused, "receipt-title", "a screen reader goes on there");
    assert_eq!(page.rows().await, ["12.5000\tEUR\tJane\tTea"]);
}

#[tokio::test]
async fn no_view_of_the_page_has_an_axe_violation_or_overflows() {
    let page = Page::open().await;
    let axe = Axe::install(&Workspace::find().unwrap()).await.unwrap();
    let views = [
        View::PHONE,
        View::PHONE.dark(),
        View::DESKTOP,
        View::DESKTOP.dark(),
    ];
    let look = async |what: &str| {
        for view in views {
            page.browser.show(view).await.unwrap();
            let found = page.browser.violations(&axe).await.unwrap();
            assert!(found.is_empty(), "{what} {view:?}: {found:#?}");
            assert_eq!(page.browser.overflow().await.unwrap(), 0, "{what} {view:?}");
        }
    };
    look("the form").await;
    page.browser.type_into("#amount", "1.234").await.unwrap();
    page.browser.click("#pay").await.unwrap();
    look("a mistake").await;
    page.browser
        .run("document.getElementById('amount').value = ''", vec![])
        .await
        .unwrap();
    page.fill().await;
    page.browser.click("#pay").await.unwrap();
    page.until_shown(RECORDED).await;
    look("the receipt").await;
    let docs = format!("{}/docs", page.lab.lab.url(PartName::Alb));
    page.browser.goto(&docs).await.unwrap();
    look("the API's page").await;
}
