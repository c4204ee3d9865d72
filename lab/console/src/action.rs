//! The actions of the buttons. Each is what a person does in a terminal: `cargo lab kill`, `cargo lab fault`, `payctl
//! replay`.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use clap::ValueEnum as _;
use http::StatusCode;
use lab_runner::database::User;
use lab_runner::environment;
use lab_runner::fault::{FaultTarget, all, term};
use lab_runner::output::chain;
use lab_runner::part::PartName;
use lab_runner::state::status::Status;
use nix::sys::signal::Signal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use server_kit::fault::Setting;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::guard::back::Back;
use crate::guard::middleware::refusal;
use crate::state::Console;
use crate::traffic::{RATE_MAX, SECONDS_MAX};
use crate::watch::Severity;

/// Longest run of `payctl replay`, which ingests the objects named by dead letters.
const REPLAY_TIMEOUT: Duration = Duration::from_mins(5);

/// Longest form, which has a few short fields.
const FORM_BYTES_MAX: usize = 4 << 10;

#[derive(Deserialize)]
struct Pressed<T> {
    token: String,
    /// The page to return to.
    back: Back,
    #[serde(flatten)]
    fields: T,
}

#[derive(Deserialize)]
struct Kill {
    part: String,
}

#[derive(Deserialize)]
struct Fault {
    target: String,
    kind: String,
    /// Empty: no time limit.
    seconds: Option<String>,
}

#[derive(Deserialize)]
struct Load {
    rate: String,
    seconds: String,
}

#[derive(Deserialize)]
struct Nothing {}

/// Kills a part, as if it had crashed.
pub async fn kill(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    press(&console, &body, async |Kill { part }| {
        let part = PartName::from_str(&part, false)?;
        match Status::signal(&console.lab.dir, part, Signal::SIGKILL) {
            Ok(true) => console
                .watch
                .note(Severity::Bad, format!("{part} was killed")),
            Ok(false) => return Err(format!("{part} does not run")),
            Err(error) => return Err(chain(error.as_ref())),
        }
        Ok(())
    })
    .await
}

/// Switches one fault on for a while, or off.
pub async fn fault(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    press(&console, &body, async |fault: Fault| {
        let target = FaultTarget::from_str(&fault.target, false)?;
        if let Some(seconds) = &fault.seconds {
            let seconds = number(seconds, "seconds", 1..=3_600)?;
            return begin(target, &fault.kind, seconds, &console).await;
        }
        let ended = all::end(target, Some(&fault.kind), &console.lab).await;
        ended.map_err(|error| chain(error.as_ref()))?;
        let text = format!("{}/{} is off", target.name(), fault.kind);
        console.watch.note(Severity::Good, text);
        Ok(())
    })
    .await
}

async fn begin(
    target: FaultTarget,
    kind: &str,
    seconds: u64,
    console: &Arc<Console>,
) -> Result<(), String> {
    let length = Duration::from_secs(seconds);
    let setting = Setting {
        for_ms: Some(seconds * 1_000),
        ..Setting::default()
    };
    let begun = all::begin(target, kind, &setting, &console.lab).await;
    begun.map_err(|error| chain(error.as_ref()))?;
    let name = format!("{}/{kind}", target.name());
    let text = format!("{name} is on for {seconds} s");
    console.watch.note(Severity::Bad, text);
    let (console, kind) = (Arc::clone(console), kind.to_owned());
    tokio::spawn(async move {
        sleep(length).await;
        if !term::ended(target, &kind, &console.lab, Duration::ZERO).await {
            console
                .watch
                .note(Severity::Bad, format!("{name} cannot be ended"));
            return;
        }
        console
            .watch
            .note(Severity::Good, format!("{name} is over"));
    });
    Ok(())
}

/// Switches every fault off.
pub async fn heal(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    press(&console, &body, async |Nothing {}| {
        let ended = all::end_all(&console.lab).await;
        ended.map_err(|error| chain(error.as_ref()))?;
        console.watch.note(Severity::Good, "all faults are off");
        Ok(())
    })
    .await
}

/// Ingests the objects named by dead letters.
pub async fn redrive(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    press(&console, &body, async |Nothing {}| {
        let variables = environment::variables(&console.lab, User::Ingest);
        let replay = Command::new(console.lab.workspace.program("payctl"))
            .args(["replay", "--dead-letters"])
            .envs(variables.map_err(|error| chain(error.as_ref()))?)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match timeout(REPLAY_TIMEOUT, replay).await {
            Ok(output) => output.map_err(|error| chain(&error))?,
            Err(_) => return Err("payctl replay does not come to an end".to_owned()),
        };
        let said = [output.stdout, output.stderr]
            .map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        let said = said.join(" ");
        if !output.status.success() {
            return Err(format!("payctl replay --dead-letters: {said}"));
        }
        console.watch.note(
            Severity::Good,
            format!("dead letters were replayed: {said}"),
        );
        Ok(())
    })
    .await
}

/// Sends payments, or stops doing so.
pub async fn traffic(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    press(&console, &body, async |Load { rate, seconds }| {
        let rate = number(&rate, "rate", 0..=u64::from(RATE_MAX))?;
        let seconds = number(&seconds, "seconds", 0..=SECONDS_MAX)?;
        if rate == 0 || seconds == 0 {
            console.traffic.stop();
            console
                .watch
                .note(Severity::Plain, "the payments of the console end");
            return Ok(());
        }
        if !console.lab.settings.may_pay() {
            return Err("payments need a key: start the lab with PAY_KEY set".to_owned());
        }
        let length = Duration::from_secs(seconds);
        let rate = u32::try_from(rate).unwrap_or(RATE_MAX);
        console.traffic.start(rate, length);
        let text = format!("{rate} payments per second for {seconds} s");
        console.watch.note(Severity::Plain, text);
        Ok(())
    })
    .await
}

/// Runs an action if one of this console's own forms asks, logs an error, and redirects to the page.
async fn press<T: DeserializeOwned>(
    console: &Console,
    body: &[u8],
    work: impl AsyncFnOnce(T) -> Result<(), String>,
) -> Response {
    let pressed = body.get(..FORM_BYTES_MAX).map_or_else(
        || serde_urlencoded::from_bytes::<Pressed<T>>(body).ok(),
        |_| None,
    );
    let Some(pressed) = pressed else {
        return (StatusCode::BAD_REQUEST, "This is no form of the console's.").into_response();
    };
    if !console.guard.knows(&pressed.token) {
        return refusal("The console was restarted; load the page again.");
    }
    if let Err(error) = work(pressed.fields).await {
        console.watch.note(Severity::Bad, error);
    }
    Redirect::to(pressed.back.as_str()).into_response()
}

fn number(text: &str, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "{name}: must be a whole number from {} to {}",
            range.start(),
            range.end()
        )),
    }
}
