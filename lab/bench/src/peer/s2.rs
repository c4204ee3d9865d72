//! S2 lite instead of the app tier: a record is durable in the bucket before the append is answered.

use std::path::PathBuf;

use anyhow::Result;
use lab_runner::{
    lab::BUCKET,
    part::{ConfigFile, PartName},
    ports::free_address,
    server::{Server, Spec},
};

use super::stack::{s3_access, spec};
use crate::testbed::Testbed;

/// Header of an append that names where the stream is.
pub const BASIN: &str = "bench-payments";

/// Path of an append.
pub const APPEND: &str = "/v1/streams/payments/records";

const RESOURCES: &str = r#"{"basins":[{"name":"bench-payments","streams":[{"name":"payments"}]}]}"#;

/// Beside the journal in the bucket, where no event starts the function.
const PATH: &str = "bench-s2";

/// How long appends are gathered before they are put: a tenth of the default, which is slower for both of our figures.
const FLUSH_INTERVAL: &str = "5ms";

pub async fn start(program: PathBuf, bed: &Testbed) -> Result<Server> {
    let address = free_address()?;
    let resources = bed.lab.dir.config("bench-s2.json");
    // Its store reads and deletes as well.
    let key = &bed.lab.credentials.aws.operator;
    let mut env = s3_access(&bed.lab.url(PartName::S3), key);
    env.insert("SL8_FLUSH_INTERVAL", FLUSH_INTERVAL.to_owned());
    let args = ["lite", "--bucket", BUCKET, "--path", PATH, "--no-dashboard"];
    let mut args: Vec<_> = args.map(Into::into).into();
    args.extend(["--port".into(), address.port().to_string().into()]);
    args.extend(["--init-file".into(), resources.clone().into()]);
    let spec = Spec {
        files: vec![ConfigFile {
            path: resources,
            content: RESOURCES.to_owned(),
        }],
        ..spec(address, program, args, env)
    };
    Server::start("s2", spec, &bed.log("s2")).await
}
