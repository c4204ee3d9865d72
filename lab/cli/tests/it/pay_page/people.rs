//! How people use the page: what they type, read and hear.

use lab_runner::workspace::Workspace;
use lab_tasks::browser::{Key, View, axe::Axe};
use serde_json::{Value, json};

use super::{
    page::{Page, RECORDED},
    proxy::Fate::RequestLost,
};

pub async fn a_mistake_is_named_beside_its_field_and_nothing_is_sent(page: &Page) {
    for (field, text, words) in [
        ("#amount", "1.5.5", "Enter a number such as"),
        ("#amount", "0", "more than 0"),
        ("#amount", "1.2345", "USD has at most 2 decimals."),
        ("#amount", "1.234", "without separators of thousands"),
        ("#amount", "€10", "choose the currency in the list"),
        ("#payer_name", "4111 1111 1111 1111", "card number"),
    ] {
        page.run("document.getElementById('form').reset()").await;
        page.type_into(field, text).await;
        page.browser.press(Key::Enter).await.unwrap();
        page.until_shown(words).await;
    }
    assert_eq!(page.focused().await, "amount", "the first that is wrong");
    page.type_into("#amount", "1").await;
    page.run("document.getElementById('transaction').value = 'half \\ud83d'")
        .await;
    page.click("#pay").await;
    page.until_shown("half of a character").await;
    assert_eq!(page.proxy.seen(), [""; 0]);
}

/// The page implements the server's rules a second time. The table of examples that intake, reader and form are tested
/// with applies to it as well.
pub async fn the_pages_rules_are_the_servers(page: &Page) {
    const TABLE: &str = include_str!("../../../../../crates/payment-core/tests/examples.json");
    let script = "
        const [table] = arguments;
        return import(document.querySelector('script').src.replace('pay.js', 'rules.js')).then(({ CARD, checks, readAmount }) => {
            const options = [...document.querySelectorAll('#currency option')];
            const offered = (code) => options.find((option) => option.value === code);
            const isFree = (text) => checks.payer_name(text, { chars: 1000 }) !== CARD;
            const paid = ({ typed, currency: code }) => {
                const { decimals, symbol } = offered(code).dataset;
                return readAmount(typed, { code, symbol, decimals: Number(decimals) }).amount ?? null;
            };
            return [
                ...table.cards.filter(({ text, found }) => isFree(text) === found),
                ...table.names.filter((name) => !isFree(name)),
                ...table.amounts.filter((amount) => paid(amount) !== amount.paid),
                ...table.currencies.filter(({ code, current }) => !!offered(code) !== current),
            ];
        });";
    let table: Value = serde_json::from_str(TABLE).unwrap();
    let wrong = page.browser.run(script, vec![table]).await.unwrap();
    assert_eq!(wrong, json!([]));
}

pub async fn the_button_says_what_is_paid_before_it_is_pressed(page: &Page) {
    for (typed, shown) in [
        ("1 000", "Pay 1,000.00 USD"),
        ("$.50", "Pay 0.50 USD"),
        ("10.", "Pay 10.00 USD"),
        ("1234567,5", "Pay 1,234,567.50 USD"),
        ("1,234", "Pay"),
    ] {
        page.run("document.getElementById('amount').value = ''")
            .await;
        page.type_into("#amount", typed).await;
        assert_eq!(page.text("#pay").await, shown, "{typed}");
    }
}

pub async fn the_hint_follows_the_currency_also_after_a_reload(page: &Page) {
    page.type_into("#currency", "JPY").await;
    let hint = page.text("#amount-hint").await;
    assert_eq!(hint, "Japanese yen, no decimals");
    page.reload().await;
    let chosen = page.text("#currency option:checked").await;
    let hint = page.text("#amount-hint").await;
    let (_, name) = chosen.split_once(" – ").unwrap();
    assert!(hint.starts_with(name), "{hint}, with {chosen} chosen");
}

pub async fn the_currency_is_first_guessed_from_the_language(page: &Page) {
    for (language, currency) in [
        ("de-DE", "EUR"),
        ("ja", "JPY"),
        ("de-CH", "CHF"),
        ("en-US", "USD"),
    ] {
        page.browser.set_language(language).await.unwrap();
        page.load().await;
        assert_eq!(page.value("#currency").await, currency, "{language}");
    }
}

/// A direction mark in a name ends where the name ends.
pub async fn p3_marks_of_direction_change_nothing_around_a_name(page: &Page) {
    let (name, note) = ("Bob \u{202e}DSU 00.9", "\u{202e}direction");
    page.type_into("#amount", "12").await;
    page.type_into("#payer_name", name).await;
    page.type_into("#transaction", note).await;
    page.click("#pay").await;
    page.until_shown(RECORDED).await;
    let isolated = "return [...document.querySelectorAll('#details bdi')]
        .filter((node) => getComputedStyle(node).unicodeBidi === 'isolate').map((node) => node.textContent)";
    assert_eq!(page.run(isolated).await, json!([name, note]));
    let bare = "return [...document.querySelectorAll('body :not(bdi)')].flatMap((node) => [...node.childNodes])
        .filter((node) => node.nodeType === 3 && node.data.includes('\\u202e')).length";
    assert_eq!(page.run(bare).await, 0);
    assert_eq!(page.rows(note).await, [format!("12.0000\tUSD\t{name}")]);
}

pub async fn alerts_are_read_out_once_and_the_focus_stays(page: &Page) {
    page.run(
        "window.alerts = [];
         for (const region of document.querySelectorAll('[role=alert], [role=status]')) {
             const seen = () => region.textContent && window.alerts.push(region.textContent);
             new MutationObserver(seen).observe(region, { childList: true, characterData: true, subtree: true });
         }",
    )
    .await;
    page.proxy.all_posts(RequestLost);
    page.pay("heard").await;
    assert_eq!(page.focused().await, "receipt-title");
    for tries in 1..=3 {
        page.proxy.until_seen(2 * tries - 1).await;
        page.click("#again").await;
        assert_eq!(page.focused().await, "again");
    }
    page.proxy.until_seen(7).await;
    let alerts = page.run("return window.alerts").await;
    assert_eq!(alerts.as_array().unwrap().len(), 1, "{alerts}");
    let readable = page.browser.readable().await.unwrap();
    assert!(readable.contains("No answer came."), "{readable}");
    assert!(!readable.contains("Your name"), "{readable}");

    page.click("#cancel").await;
    page.until_shown("Cancelled.").await;
    let readable = page.browser.readable().await.unwrap();
    assert!(readable.contains("Cancelled."), "{readable}");
    assert!(!readable.contains("No answer came."), "{readable}");
    let alerts = page.run("return window.alerts").await;
    assert_eq!(alerts.as_array().unwrap().len(), 2, "{alerts}");

    page.proxy.reset();
    page.click("#pay").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.focused().await, "receipt-title");
    let readable = page.browser.readable().await.unwrap();
    assert!(!readable.contains("Cancelled."), "{readable}");
}

pub async fn the_focus_goes_on_when_its_button_is_gone(page: &Page) {
    page.proxy.posts([RequestLost]);
    page.pay("focused").await;
    page.until_shown("No answer came.").await;
    page.run("document.getElementById('again').focus()").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.focused().await, "receipt-title");
}

pub async fn without_a_script_the_plain_form_pays(page: &Page) {
    page.browser.set_scripts(false).await.unwrap();
    page.load().await;
    page.pay("no script").await;
    page.until_shown("Payment accepted").await;
    page.browser.set_scripts(true).await.unwrap();
    page.until_rows("no script", &["1250.5000\tUSD\tZoë Müller"])
        .await;
}

pub async fn the_keyboard_alone_is_enough(page: &Page) {
    page.browser.press(Key::Tab).await.unwrap();
    page.browser.press("12.50").await.unwrap();
    page.browser.press(Key::Tab + "eur").await.unwrap();
    page.browser.press(Key::Tab + "Jane").await.unwrap();
    page.browser.press(Key::Tab + "Tea").await.unwrap();
    page.browser.press(Key::Tab).await.unwrap();
    assert_eq!(page.focused().await, "pay");
    page.browser.press(Key::Enter).await.unwrap();
    page.until_shown(RECORDED).await;
    let focused = page.focused().await;
    assert_eq!(focused, "receipt-title", "a screen reader goes on there");
    assert_eq!(page.rows("Tea").await, ["12.5000\tEUR\tJane"]);
}

pub async fn a_receipt_has_its_date_and_breaks_an_amount_between_groups(page: &Page) {
    page.browser.show(View::PHONE).await.unwrap();
    page.type_into("#amount", "123456789012345.67").await;
    page.type_into("#transaction", "dated").await;
    page.click("#pay").await;
    page.until_shown(RECORDED).await;
    let dated = "const year = new Date().getFullYear();
        return [...document.querySelectorAll('.when')].every((node) => node.textContent.includes(year))";
    assert_eq!(page.run(dated).await, true);
    assert_eq!(page.browser.overflow().await.unwrap(), 0);
    let breaks = "return document.querySelector('#total').innerHTML.split('<wbr>').map((part) => part.slice(-1))";
    assert_eq!(page.run(breaks).await, json!([",", ",", ",", ",", ">"]));
}

pub async fn no_view_of_the_page_has_an_axe_violation_or_overflows(page: &Page) {
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
    page.type_into("#amount", "1.234").await;
    page.click("#pay").await;
    look("a mistake").await;
    page.run("document.getElementById('amount').value = ''")
        .await;
    page.proxy.posts([RequestLost]);
    page.pay("looked at").await;
    page.until_shown("No answer came.").await;
    look("no answer").await;
    page.until_shown(RECORDED).await;
    look("the receipt").await;
    let docs = format!("{}/docs", page.proxy.url);
    page.browser.goto(&docs).await.unwrap();
    look("the API's page").await;
}
