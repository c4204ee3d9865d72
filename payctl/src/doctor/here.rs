//! What this machine sees: the front door, the database, the certificates, the clock.

mod certificates;
mod clients;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode, request};
use http_body_util::Full;
use payment_core::{CardCheck, Timestamp};
use payment_store::{LoginSource, Pool, Store};
use program::chain;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tls::Roots;
use url::Url;

use crate::http_client::{Answer, CallError, HttpClient};
use crate::pay_client::Address;

use super::{Findings, database};

/// What the web tier's health check answers.
const HEALTHY: &str = "OK";

const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// S3 refuses requests that are signed a quarter of an hour off; tokens of RDS live as long.
const SKEW_MAX: time::Duration = time::Duration::minutes(2);

/// The remedy on a server of one's own; RDS has a parameter group.
const SET_ROW: &str = "SET GLOBAL binlog_format = ROW, and the same in its configuration file";

/// What there is to be tried from here.
#[derive(Debug)]
pub struct Here {
    pub alb: Option<Address>,
    pub database: Option<Arc<dyn LoginSource>>,
    pub ca_bundle: Option<std::path::PathBuf>,
    /// The web tier's file of clients.
    pub clients: Option<std::path::PathBuf>,
    /// Where the right time is to be had: S3's, which answers anyone.
    pub clock: Url,
    /// The tiers' own setting, where their environment is given to this program.
    pub cards: CardCheck,
}

pub async fn check(here: Here, findings: &mut Findings) {
    exempt(&here.cards, findings);
    match &here.alb {
        Some(address) => {
            front(address, findings).await;
            clients::front(address, findings).await;
        }
        None => findings.note("the front door was not tried: ALB_URL is not set"),
    }
    match here.database {
        Some(access) => login(access, findings).await,
        None => {
            findings.note("the database was not tried: neither DATABASE_URL nor DB_HOST is set");
        }
    }
    if let Some(file) = &here.clients {
        clients::file(file, Timestamp::new(OffsetDateTime::now_utc()), findings);
    }
    if let Some(bundle) = &here.ca_bundle {
        certificates::check(bundle, SystemTime::now(), findings);
    }
    clock(&here.clock, findings).await;
}

fn exempt(cards: &CardCheck, findings: &mut Findings) {
    let names: Vec<_> = cards.exempt().collect();
    if !names.is_empty() {
        findings.warning(
            "card-check-exempt",
            format!("{} leaves out {}", CardCheck::VARIABLE, names.join(", ")),
        )
        .causes("a card number in these members is stored: the bucket, the database, their backups and all that reads them are then in scope of PCI DSS")
        .why("these members are not searched for card numbers; that is right only if all they hold is the deployment's own ids")
        .mend("leave out only members that never hold what a person typed, and let whoever answers for PCI DSS confirm it in writing");
    }
}

async fn call(roots: &Roots, request: request::Builder) -> Result<Answer, CallError> {
    let request = request.body(Full::new(Bytes::new()));
    let client = HttpClient::new(roots, CALL_TIME_MAX)?;
    client.call(request.map_err(CallError::Request)?).await
}

async fn front(address: &Address, findings: &mut Findings) {
    let mut health = address.url.clone();
    health.set_path("/health");
    let answer = call(&address.roots, Request::get(health.as_str())).await;
    let what = match answer {
        Ok(answer) if answer.status == StatusCode::OK && answer.body == HEALTHY => return,
        Ok(answer) if answer.status == StatusCode::OK => {
            format!("{health} answers, and not as the web tier does")
        }
        Ok(answer) => format!("{health} answers {}", answer.status),
        Err(error) => format!("{health} does not answer: {}", chain(&error)),
    };
    findings.error("front-door", what)
            .causes("clients can't pay")
            .why("no healthy target, a group or route that shuts it, a load balancer that is not there, or another server in its place")
            .mend("payctl doctor network balancers names the fault where it is in the account");
}

async fn login(access: Arc<dyn LoginSource>, findings: &mut Findings) {
    let pool = Pool::new(access, 1);
    let tried = tokio::time::timeout(CALL_TIME_MAX, Box::pin(pool.logs_by_statement())).await;
    let what = match tried {
        Ok(Ok(false)) => {
            let store = Store::new(pool);
            columns(&store, findings).await;
            return rejects(&store, findings).await;
        }
        Ok(Ok(true)) => return database::logs_by_statement("the database", SET_ROW, findings),
        Ok(Err(error)) => chain(&error),
        Err(_) => format!("no login within {} s", CALL_TIME_MAX.as_secs()),
    };
    findings.error("database-login", format!("the database does not let this machine in: {what}"))
            .causes("no rows where that is so for the function; no status of payments where it is for the app tier")
            .why("a group that shuts it, a wrong password or token, a certificate that is not trusted, or no user")
            .mend("payctl doctor network database; page 5 of the notes makes the users");
}

async fn columns(store: &Store, findings: &mut Findings) {
    let wrong = match store.wrong_columns().await {
        Ok(wrong) if wrong.is_empty() => return,
        Ok(wrong) => wrong,
        Err(error) => {
            return findings.note(format!("columns were not compared: {}", chain(&error)));
        }
    };
    let names: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    findings.error("database-columns", names.join("; "))
        .causes("the database refuses the function's inserts; payments are accepted, and become rows once this is set right")
        .why("the schema is older than the programs, is not there yet, or was changed by hand")
        .mend("payctl migrate makes what is missing; a column that was added by hand needs a default, or goes");
}

/// Accepted payments that are not rows.
async fn rejects(store: &Store, findings: &mut Findings) {
    match store.unsettled_own_rejects().await {
        Ok(0) => {}
        Ok(count) => own_rejects(count, findings),
        Err(error) => findings.note(format!("rejects were not counted: {}", chain(&error))),
    }
}

fn own_rejects(count: u64, findings: &mut Findings) {
    findings.error("own-rejects", format!("{count} accepted payments are in the table rejects and are no rows"))
        .causes("clients hold receipts of payments that are not in transactions")
        .why("the function could not read what the app tier wrote, being older than it; or the database did not take it (reason refused_by_database), its table having been changed by hand")
        .mend("bring the function up to date, or the table back to what payctl migrate made, then payctl replay --rejects");
}

async fn clock(url: &Url, findings: &mut Findings) {
    let now = OffsetDateTime::now_utc();
    let answer = call(&Roots::of_the_system(), Request::head(url.as_str())).await;
    let date = answer.ok().and_then(|answer| {
        let date = answer.headers.get("date")?.to_str().ok()?.to_owned();
        OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()
    });
    let Some(theirs) = date else {
        return findings.note(format!("the clock was not compared: {url} gave no date"));
    };
    skew(now, theirs, findings);
}

fn skew(ours: OffsetDateTime, theirs: OffsetDateTime, findings: &mut Findings) {
    let off = ours - theirs;
    if off.abs() > SKEW_MAX {
        let seconds = off.whole_seconds();
        findings.error(
            "clock-skew",
            format!("this machine's clock is {seconds} s off S3's"),
        )
        .causes(
            "calls to AWS are refused (RequestTimeTooSkewed), tokens for the database do not work",
        )
        .why("signatures hold the time, and are good for some minutes")
        .mend("sudo systemctl restart chronyd && chronyc tracking");
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    fn found(check: impl FnOnce(&mut Findings)) -> Option<Finding> {
        let mut findings = Findings::default();
        check(&mut findings);
        assert!(findings.found.len() < 2);
        findings.found.pop()
    }

    #[test]
    fn p8_members_without_a_card_check_are_named() {
        assert!(found(|findings| exempt(&CardCheck::ALL, findings)).is_none());
        let cards = "order_no".parse().unwrap();
        let finding = found(|findings| exempt(&cards, findings)).unwrap();
        assert_eq!(finding.code, "card-check-exempt");
        assert!(format!("{finding:?}").contains("order_no"));
    }

    #[test]
    fn a_clock_that_is_minutes_off_is_found_and_one_that_is_seconds_off_is_not() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let found = |off| found(|findings| skew(now, now + off, findings));
        assert!(found(time::Duration::seconds(30)).is_none());
        for off in [time::Duration::minutes(5), -time::Duration::minutes(5)] {
            assert_eq!(found(off).unwrap().code, "clock-skew");
        }
    }
}
