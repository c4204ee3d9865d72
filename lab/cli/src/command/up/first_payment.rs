//! One payment through everything, as proof and as demonstration.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use lab_runner::{
    database::User,
    lab::Lab,
    log, output,
    part::PartName,
    payment::{self, Payment},
};
use reqwest::StatusCode;
use uuid::Uuid;

const ROW_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn send(lab: &Lab) -> Result<()> {
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
    ensure!(
        answer.status == StatusCode::ACCEPTED,
        "the payment was answered {} instead of 202\n{}",
        answer.status,
        answer.body
    );
    let answered = started.elapsed();

    let client = lab.database()?.client(User::Reader);
    let Some(row) = payment::row(&client, &id, ROW_TIMEOUT).await? else {
        bail!(
            "the payment was accepted, but its row is not there after {} s{}",
            ROW_TIMEOUT.as_secs(),
            log::end_of(&lab.dir.log(PartName::Lambda))
        );
    };
    let detail = format!(
        "answered after {} ms, then in the database",
        answered.as_millis()
    );
    output::done("payment", detail, started.elapsed());
    output::say(row.trim_end());
    Ok(())
}
