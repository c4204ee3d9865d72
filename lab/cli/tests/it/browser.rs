//! The browser that other tests use.

use lab_runner::part::PartName;
use lab_tasks::browser::{Browser, Scheme, View};

use crate::test_lab::TestLab;

#[tokio::test]
async fn a_page_of_the_lab_is_seen_in_the_size_and_colours_asked_for() {
    let lab = TestLab::up();
    let url = format!("{}/pay", lab.lab.url(PartName::Alb));
    let browser = Browser::open(View::PHONE.dark()).await.unwrap();
    browser.goto(&url).await.unwrap();
    browser
        .until("innerWidth === 360 && matchMedia('(prefers-color-scheme: dark)').matches")
        .await
        .unwrap();
    assert!(!browser.text("h1").await.unwrap().is_empty());
    assert_eq!(browser.complaints().await.unwrap(), [""; 0]);

    let view = View {
        scale: 2.0,
        ..View::DESKTOP
    };
    assert_eq!(view.scheme, Scheme::Light);
    browser.show(view).await.unwrap();
    let picture = browser.screenshot().await.unwrap();
    assert_eq!(png_size(&picture), (2880, 1800));
}

#[tokio::test]
async fn a_browser_can_lose_its_network_and_its_scripts() {
    let lab = TestLab::up();
    let url = format!("{}/health", lab.lab.url(PartName::Alb));
    let browser = Browser::open(View::DESKTOP).await.unwrap();
    browser.goto(&url).await.unwrap();
    let online = "await fetch('/health').then(() => true, () => false)";
    let asked = format!("return (async () => {online})()");
    for offline in [true, false] {
        browser.set_offline(offline).await.unwrap();
        let reached = browser.run(&asked, vec![]).await.unwrap();
        assert_eq!(reached, !offline);
    }
    assert!(!browser.complaints().await.unwrap().is_empty());

    let page = "data:text/html,<h1>plain</h1><script>document.querySelector('h1').textContent = 'scripted'</script>";
    browser.set_scripts(false).await.unwrap();
    browser.goto(page).await.unwrap();
    assert_eq!(browser.text("h1").await.unwrap(), "plain");
    browser.set_scripts(true).await.unwrap();
    browser.goto(page).await.unwrap();
    assert_eq!(browser.text("h1").await.unwrap(), "scripted");
}

/// Width and height are big-endian after the signature and the header of the first chunk.
fn png_size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
