//! Vector instead of the app tier.

use std::path::PathBuf;

use anyhow::Result;
use lab_runner::{
    health::Health,
    part::PartName,
    ports::free_address,
    server::{Server, Spec},
};

use super::stack::{s3_access, spec};
use crate::testbed::Testbed;

pub async fn start(program: PathBuf, bed: &Testbed) -> Result<Server> {
    let address = free_address()?;
    let data = bed.lab.dir.data("config/bench-vector");
    lab_runner::files::create_dir(&data)?;
    let key = &bed.lab.credentials.aws.app_tier;
    let mut env = s3_access(&bed.lab.url(PartName::S3), key);
    env.insert("LISTEN_ADDR", address.to_string());
    env.insert("VECTOR_DATA_DIR", data.display().to_string());
    let config = bed
        .lab
        .workspace
        .root()
        .join("lab/bench/peers/vector/vector.yaml");
    let args = vec!["--config".into(), config.into()];
    let spec = Spec {
        health: Health::Connects,
        ..spec(address, program, args, env)
    };
    Server::start("vector", spec, &bed.log("vector")).await
}
