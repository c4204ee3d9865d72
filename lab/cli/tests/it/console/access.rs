//! Who can use the console: everyone before it, however they do, and no other page.

use lab_runner::{http, part::PartName, workspace::Workspace};
use lab_tasks::browser::{View, axe::Axe};
use reqwest::{StatusCode, header, redirect::Policy};

use super::{Console, ROW_TIMEOUT};
use crate::test_lab::TestLab;

#[tokio::test]
async fn without_a_script_the_buttons_work() {
    let console = Console::open().await;
    console.browser.set_scripts(false).await.unwrap();
    console.goto("/").await;
    console.click("button[name=rate][value='1']").await;
    let select = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'console-%'";
    console
        .lab
        .until_selected(select, &["1"], ROW_TIMEOUT)
        .await;
}

#[tokio::test]
async fn no_other_page_can_look_or_press() {
    let lab = TestLab::up_with_console_and(&[]);
    let console = lab.lab.url(PartName::Console);
    let client = http::client().unwrap();
    let page = client.get(&console).send().await.unwrap();
    assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
    let page = page.text().await.unwrap();
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let before = lab.part(PartName::AppA).pid;
    let press = async |token: &str, origin: Option<&str>, host: Option<&str>| {
        let body = format!("token={token}&back=/&part=app-a");
        let mut request = client.post(format!("{console}/actions/kill")).body(body);
        for (name, value) in [(header::ORIGIN, origin), (header::HOST, host)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.send().await.unwrap().status()
    };
    let elsewhere = "http://attacker.example";
    for (token, origin, host) in [
        (token.as_str(), Some(elsewhere), None),
        (&token, None, None),
        (&token, Some("null"), None),
        (&token, Some(elsewhere), Some("attacker.example")),
        ("guessed", Some(console.as_str()), None),
    ] {
        let status = press(token, origin, host).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{origin:?} {host:?}");
    }
    let unled = reqwest::Client::builder().redirect(Policy::none());
    let unled = unled.no_proxy().build().unwrap();
    for elsewhere in [r"/\evil.example", "//evil.example", "/.//evil.example"] {
        let pressed = unled
            .post(format!("{console}/actions/traffic"))
            .header(header::ORIGIN, &console)
            .body(format!("token={token}&rate=0&seconds=0&back={elsewhere}"))
            .send()
            .await
            .unwrap();
        assert_eq!(pressed.headers()[header::LOCATION], "/", "{elsewhere}");
    }
    let rebound = client
        .get(&console)
        .header(header::HOST, "attacker.example");
    let status = rebound.send().await.unwrap().status();
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(lab.part(PartName::AppA).pid, before);

    // The same form from the console itself is accepted.
    press(&token, Some(&console), None).await;
    lab.until_part(PartName::AppA, |part| part.pid != before)
        .await;
}

#[tokio::test]
async fn no_page_has_an_axe_violation_or_overflows() {
    let console = Console::open().await;
    console.pay(3).await;
    let axe = Axe::install(&Workspace::find().unwrap()).await.unwrap();
    console.goto("/s3").await;
    let object = console
        .run("return document.querySelector('tbody a').href")
        .await;
    let object = object.as_str().unwrap();
    let path = object.strip_prefix(&console.url("")).unwrap();
    for path in [
        "/",
        "/load-balancers",
        "/s3",
        path,
        "/lambda",
        "/database",
        "/payments/shown-1",
        "/network",
        "/faults",
    ] {
        console.goto(path).await;
        for view in [View::PHONE, View::DESKTOP, View::DESKTOP.dark()] {
            console.browser.show(view).await.unwrap();
            let found = console.browser.violations(&axe).await.unwrap();
            assert!(found.is_empty(), "{path} {view:?}: {found:#?}");
            let overflow = console.browser.overflow().await.unwrap();
            assert_eq!(overflow, 0, "{path} {view:?}");
        }
    }
}
