//! One payment through everything, as proof and as demonstration.

use std::time::{Duration, Instant};

use lab_runner::{
    database::User,
    lab::Lab,
    log, output,
    part::PartName,
    payment::{self, Payment},
};
use reqwest::StatusCode;
use uuid::Uuid;

use super::{CommandError, Error};

const ROW_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn send(lab: &Lab) -> Result<(), CommandError> {
    let started = Instant::now();
    // Short, so that the table of rows fits in a terminal.
    let id = format!("lab-{:08x}", Uuid::new_v4().as_fields().0);
    let payment = Payment {
        id: Some(id.clone()),
        transaction: Some("hello".to_owned()),
        amount: Some("1.00".to_owned()),
        ..Payment::default()
    };
    let answer = payment.post(lab).await?;
    if answer.status != StatusCode::ACCEPTED {
        let status = answer.status.to_string();
        let body = answer.body;
        return Err(Error::Refused { status, body }.into());
    }
    let answered = started.elapsed();

    let client = lab.database()?.client(User::Reader);
    let Some(row) = payment::row(&client, &id, ROW_TIMEOUT).await? else {
        return Err(Error::NoRow {
            seconds: ROW_TIMEOUT.as_secs(),
            log: log::end_of(&lab.dir.log(PartName::Lambda)),
        }
        .into());
    };
    let detail = format!(
        "answered after {} ms, then in the database",
        answered.as_millis()
    );
    output::done("payment", detail, started.elapsed());
    output::say(row.trim_end());
    Ok(())
}
