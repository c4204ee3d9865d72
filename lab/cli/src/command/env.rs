//! `cargo lab env`: prints shell exports, so that aws, mysql and curl reach the lab.

use std::process::ExitCode;

use anyhow::Result;
use lab_runner::{
    environment,
    lab::{BUCKET, FUNCTION},
    output,
};

use super::Context;
use crate::cli;

pub(super) fn run(args: &cli::Env, context: &Context) -> Result<ExitCode> {
    let lab = context.lab()?;
    output::say(format_args!(
        "# eval \"$({} env)\", then for example:\n\
         #   aws s3 ls s3://{BUCKET}/transactions/ --recursive\n\
         #   aws lambda invoke --function-name {FUNCTION} --payload '{{}}' /dev/stdout\n\
         #   mysql --user={} payments\n\
         #   cargo run --release --bin payctl -- reconcile",
        context.cargo_lab,
        args.user.name()
    ));
    if lab.tls().is_some() {
        output::say("#   curl --cacert \"$ALB_CA_FILE\" \"$ALB_URL/health\"");
    }
    for (name, value) in environment::variables(&lab, args.user)? {
        output::say(format_args!("export {name}={}", quoted(&value)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Quotes a value as one word of a POSIX shell.
pub(super) fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for value in ["", "plain", "it's", "a b", "$HOME `id` \"x\" \\", "*;&|<>"] {
            let script = format!("printf %s {}", quoted(value));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
