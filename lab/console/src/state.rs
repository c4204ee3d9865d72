//! State that pages and buttons share.

use std::net::SocketAddr;

use anyhow::Result;
use aws_sdk_s3::Client as S3;
use aws_sdk_sqs::Client as Sqs;
use lab_runner::http::Client;
use lab_runner::lab::Lab;
use lab_runner::payment::Door;
use time::OffsetDateTime;

use crate::guard::Guard;
use crate::source::folder::Walks;
use crate::source::rows::Rows;
use crate::source::{self, function};
use crate::traffic::Traffic;
use crate::watch::Watch;

#[derive(Debug)]
pub struct Console {
    pub lab: Lab,
    pub http: Client,
    pub door: Door,
    pub s3: S3,
    pub walks: Walks,
    pub queues: Sqs,
    pub rows: Rows,
    pub watch: Watch,
    pub traffic: Traffic,
    pub guard: Guard,
    pub started: OffsetDateTime,
}

impl Console {
    /// Creates the console of a lab; `address` is where it is reached.
    pub fn of(lab: Lab, address: SocketAddr) -> Result<Self> {
        Ok(Self {
            http: lab.client(source::TIMEOUT)?,
            door: Door::of(&lab, source::TIMEOUT)?,
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
