//! A terminal session as a page: commands that were run, and their output.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use askama::Template;
use lab_runner::{lab::Lab, part::PartName};
use tokio::process::Command;

#[derive(Template)]
#[template(path = "terminal.html")]
struct Terminal {
    commands: Vec<Typed>,
}

struct Typed {
    command: String,
    printed: String,
}

/// Pays by curl, repeats the payment, and shows its row.
pub async fn session(lab: &Lab) -> Result<String> {
    let pay = format!(
        r#"curl -i -X POST {}/pay -H 'Content-Type: application/json' \
    -d '{{"id": "test123", "transaction": "roundtrip", "amount": "12.50", "payer_name": "Ada Lovelace"}}'"#,
        lab.url(PartName::Alb)
    );
    let again = format!("{pay} | grep -i -E 'HTTP|idempotent'");
    let ask = format!("curl -s {}/pay/test123", lab.url(PartName::Alb));
    let until_recorded = format!("until {ask} | grep -q recorded; do sleep 0.1; done");
    let select = r#"cargo lab sql "SELECT * FROM payments.transactions ORDER BY id DESC""#;
    let mut commands = vec![run(lab, &pay).await?];
    run(lab, &format!("timeout 30 bash -c \"{until_recorded}\"")).await?;
    for command in [&again, select] {
        commands.push(run(lab, command).await?);
    }
    Terminal { commands }
        .render()
        .context("cannot render the terminal's page")
}

async fn run(lab: &Lab, command: &str) -> Result<Typed> {
    // Without curl's progress meter, and with this program in place of `cargo lab`.
    let program = format!(
        "'{}' --dir '{}'",
        lab.workspace.lab().display(),
        lab.dir.root().display()
    );
    let real = command
        .replace("cargo lab", &program)
        .replace("curl -i", "curl -s -i");
    let output = Command::new("bash")
        .args(["-c", &real])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run bash")?;
    let printed = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{command}` failed: {said}");
    Ok(Typed {
        command: command.to_owned(),
        printed: printed.trim_end().to_owned(),
    })
}
