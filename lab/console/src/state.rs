//! What every page and button works with.

use std::net::SocketAddr;

use aws_sdk_s3::Client as S3;
use aws_sdk_sqs::Client as Sqs;
use lab_runner::http::Client;
use lab_runner::lab::{ClientError, Lab};
use time::OffsetDateTime;

use crate::guard::Guard;
use crate::source::folder::Walks;
use crate::source::rows::{ConnectError, Rows};
use crate::source::{self, function};
use crate::traffic::Traffic;
use crate::watch::Watch;

#[derive(Debug)]
pub struct Console {
    pub lab: Lab,
    pub http: Client,
    pub s3: S3,
    pub walks: Walks,
    pub queues: Sqs,
    pub rows: Rows,
    pub watch: Watch,
    pub traffic: Traffic,
    pub guard: Guard,
    pub started: OffsetDateTime,
}

/// Why there is no console for a lab.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] ConnectError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Console {
    /// The console of a lab, which is reached at an address.
    pub fn of(lab: Lab, address: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            http: lab.client(source::PATIENCE)?,
            s3: lab.s3(&lab.credentials.aws.operator),
            walks: Walks::default(),
            queues: function::queues(&lab),
            rows: Rows::of(&lab)?,
            watch: Watch::default(),
            traffic: Traffic::to(&lab)?,
            guard: Guard::of(address),
            started: OffsetDateTime::now_utc(),
            lab,
        })
    }
}
