//! Limits of each client, of the pay page and of each address.

use clients::PAGE;
use clients::bearer::new_key;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::callers::{
    BODY, ClientsFile, JSON, accepted, bearer, begin, client, get, status, until_status,
};
use crate::tier::{BROWSER, Tier};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

#[tokio::test]
async fn p10_a_client_over_its_rate_gets_429_while_another_is_served() {
    let (key, other) = (new_key().unwrap(), new_key().unwrap());
    let limited = client("shop", "rate = 1\nburst = 2", &key);
    let file = ClientsFile::new(&[limited, client("other", "", &other)].concat());
    let tier = file.tier(vec![accepted()]).await;
    let [key, other] = [bearer(&key), bearer(&other)];
    let key = [("authorization", &*key), JSON];
    let mut limited = None;
    for _ in 0..50 {
        let answer = tier.post(&key, BODY).await;
        if answer.status().as_u16() == 429 {
            limited = Some(answer);
            break;
        }
    }
    let answer = limited.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""requests";q=2;w=2"#
    );
    assert_eq!(answer.headers()["ratelimit"], r#""requests";r=0;t=1"#);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited");
    for _ in 0..10 {
        assert_eq!(status(&tier, &[("authorization", &other)]).await, 202);
    }
    let (_, metrics) = tier.admin("/metrics").await;
    for line in [
        r#"payments_client_limited_total{client="shop"} 1"#,
        r#"payments_client_limited_total{client="other"} 0"#,
        r#"payments_client_requests_total{client="other"} 10"#,
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line}\n{metrics}"
        );
    }
}

#[tokio::test]
async fn p10_payments_in_flight_are_limited_by_client_and_their_places_come_back() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&client("shop", "in_flight = 1", &key));
    let tier = file.tier(vec![accepted()]).await;
    let bearer = bearer(&key);
    let head = format!(
        "POST /pay HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        BODY.len()
    );
    let mut first = begin(&tier, &head).await;
    // Its body is asked for: it is in flight.
    let mut asked = [0; 12];
    first.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    let headers = [("authorization", &*bearer)];
    assert_eq!(status(&tier, &headers).await, 429);
    assert_eq!(
        get(&tier, &headers).await.status().as_u16(),
        202,
        "a query is no payment"
    );
    let answer = tier.post(&[headers[0], JSON], BODY).await;
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""in-flight";q=1;qu="concurrent-requests""#
    );
    drop(first);
    until_status(&tier, &headers, 202).await;
}

#[tokio::test]
async fn p10_the_pay_page_pays_as_a_client_of_its_own_from_this_origin_alone() {
    let file = ClientsFile::new(&format!("[clients.{PAGE}]\nrate = 1\nburst = 3\n"));
    let tier = file.tier(vec![accepted()]).await;
    let own = tier.url.clone();
    let origin = ("origin", own.as_str());
    let script = tier.post(&[SAME_ORIGIN, JSON], BODY).await;
    assert_eq!(script.status().as_u16(), 202);
    let form = tier
        .post(&[origin, FORM, ("accept", BROWSER)], "id=tx_1&amount=1")
        .await;
    assert_eq!(form.status().as_u16(), 202);
    assert!(
        tier.seen
            .lock()
            .unwrap()
            .iter()
            .all(|request| request.contains("x-payment-client: page\r\n"))
    );
    for (headers, expected) in [
        (&[][..], 401),
        (&[("sec-fetch-site", "none")], 401),
        (&[("origin", "https://evil.example")], 403),
        (&[("sec-fetch-site", "cross-site"), origin], 403),
        (&[SAME_ORIGIN, ("authorization", "Bearer pk_1")], 401),
    ] {
        assert_eq!(status(&tier, headers).await, expected, "{headers:?}");
    }
    let mut is_limited = false;
    for _ in 0..50 {
        let over = status(&tier, &[SAME_ORIGIN]).await == 429;
        let page = tier.browse("/pay?id=tx_1").await.text().await.unwrap();
        is_limited = over && page.contains("Wait a moment");
        if is_limited {
            break;
        }
    }
    assert!(is_limited);
}

#[tokio::test]
async fn p10_addresses_are_limited_by_what_the_load_balancer_saw() {
    let tier = Tier::with(vec![accepted()], &[("ADDRESS_RATE", "1")]).await;
    let mut statuses = Vec::new();
    for n in 0..20 {
        let forged = format!("198.51.100.{n}, 203.0.113.7");
        statuses.push(status(&tier, &[("x-forwarded-for", &forged)]).await);
    }
    assert_eq!(statuses[0], 202);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(
        status(&tier, &[("x-forwarded-for", "203.0.113.8")]).await,
        202
    );
}
