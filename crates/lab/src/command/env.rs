//! `cargo lab env`: lines for a shell, so that aws, mysql and curl reach the lab.

use std::process::ExitCode;

use super::{Context, Error};
use crate::{
    cli,
    database::User,
    lab::{BUCKET, DEAD_LETTER_QUEUE, FUNCTION, Lab, REGION},
    output,
    part::{PartName, sqs},
};

pub(super) fn run(args: &cli::Env, context: &Context) -> Result<ExitCode, Error> {
    let lab = context.lab()?;
    output::say(format_args!(
        "# eval \"$({} env)\", then for example:\n\
         #   aws s3 ls s3://{BUCKET}/transactions/ --recursive\n\
         #   aws lambda invoke --function-name {FUNCTION} --payload '{{}}' /dev/stdout\n\
         #   mysql --user={} payments\n\
         #   cargo run --release -p payctl -- reconcile",
        context.cargo_lab,
        args.user.name()
    ));
    for (name, value) in variables(&lab, args.user)? {
        output::say(format_args!("export {name}={}", quoted(&value)));
    }
    Ok(ExitCode::SUCCESS)
}

fn variables(lab: &Lab, user: User) -> Result<Vec<(&'static str, String)>, Error> {
    let operator = &lab.credentials.aws.operator;
    let database = lab.database()?;
    let (host, port) = database.host_and_port();
    let s3 = lab.url(PartName::S3);
    Ok(vec![
        ("ALB_URL", lab.url(PartName::Alb)),
        // Versions of the AWS CLI before 2.13 know only the general one.
        ("AWS_ENDPOINT_URL", s3.clone()),
        ("AWS_ENDPOINT_URL_S3", s3),
        ("AWS_ENDPOINT_URL_LAMBDA", lab.url(PartName::Lambda)),
        ("AWS_ENDPOINT_URL_SQS", lab.url(PartName::Sqs)),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", operator.id.clone()),
        ("AWS_SECRET_ACCESS_KEY", operator.secret.expose().to_owned()),
        ("LOG_BUCKET", BUCKET.to_owned()),
        (
            "DEAD_LETTER_QUEUE_URL",
            sqs::queue_url(lab, DEAD_LETTER_QUEUE),
        ),
        ("MYSQL_HOST", host),
        ("MYSQL_TCP_PORT", port.to_string()),
        ("MYSQL_PWD", user.password(lab).expose().to_owned()),
        ("DATABASE_URL", database.url(user).expose().to_owned()),
    ])
}

/// As one word of a POSIX shell, whatever is in it.
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
