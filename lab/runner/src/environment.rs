//! Environment variables with which operators' programs reach the lab: payctl, the AWS CLI, mysql, curl.

use anyhow::Result;

use crate::{
    database::User,
    lab::{BUCKET, DEAD_LETTER_QUEUE, Lab, REGION},
    part::{PartName, sqs},
};

/// Returns variables and their values, including secrets.
pub fn variables(lab: &Lab, user: User) -> Result<Vec<(&'static str, String)>> {
    let operator = &lab.credentials.aws.operator;
    let database = lab.database()?;
    let (host, port) = database.host_and_port();
    let s3 = lab.url(PartName::S3);
    let ca = lab.tls().map(|files| files.ca.display().to_string());
    let variables = vec![
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
    ];
    // curl has no variable that would leave other addresses alone: it needs --cacert "$ALB_CA_FILE".
    let ca = ca.map(|ca| ("ALB_CA_FILE", ca));
    let key = lab.settings.pay_key.as_ref();
    let key = key.map(|key| ("PAY_KEY", key.expose().to_owned()));
    Ok(variables.into_iter().chain(ca).chain(key).collect())
}
