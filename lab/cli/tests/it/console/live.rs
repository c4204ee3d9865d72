//! How an open page follows the lab.

use lab_runner::part::PartName;
use lab_tasks::browser::View;
use nix::sys::signal::Signal;

use super::Console;

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
