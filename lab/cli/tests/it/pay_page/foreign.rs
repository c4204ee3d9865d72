//! Pages of other sites, which would have a visitor's browser pay.

use super::page::{Page, RECORDED};

pub async fn p10_a_form_of_another_site_pays_nothing(page: &Page) {
    let form = format!(
        "data:text/html,<form method=post action='{}/pay'><input name=amount value=1>\
         <input name=transaction value=foreign><button>win a prize</button></form>",
        page.proxy.url
    );
    page.browser.goto(&form).await.unwrap();
    page.browser.click("button").await.unwrap();
    page.until_shown("another site").await;
    assert_eq!(page.proxy.seen(), ["POST"]);

    // Whatever it had made of the form would be a row before this one.
    page.load().await;
    page.pay("not foreign").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.rows("foreign").await, [""; 0]);
}
