//! moto's S3, with the bucket of the journal.

use std::{collections::BTreeMap, path::Path};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use lab_runner::{
    health::Health,
    install::python,
    lab::REGION,
    ports::free_address,
    process::{Launch, Output},
    server::{Server, Spec},
    workspace::Workspace,
};

use super::BUCKET;

pub struct Moto {
    server: Server,
    s3: Client,
}

impl Moto {
    pub async fn start(dir: &Path) -> Self {
        let tools = Workspace::find().unwrap().tools();
        let venv = python::venv(&tools, &python::AWS).unwrap();
        let address = free_address().unwrap();
        let spec = Spec {
            address,
            launch: Launch {
                program: venv.program("moto_server"),
                args: vec![
                    "--host".into(),
                    address.ip().to_string().into(),
                    "--port".into(),
                    address.port().to_string().into(),
                ],
                env: BTreeMap::from([("PYTHONDONTWRITEBYTECODE", "1".to_owned())]),
                output: Output::File,
            },
            files: Vec::new(),
            health: Health::Http { path: "/moto-api/" },
            stop_timeout: std::time::Duration::from_secs(5),
        };
        let server = Server::start("moto", spec, &dir.join("moto.log"))
            .await
            .unwrap();
        let s3 = client(&server.url());
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(REGION))
            .build();
        let create = s3.create_bucket().bucket(BUCKET);
        create
            .create_bucket_configuration(place)
            .send()
            .await
            .unwrap();
        Self { server, s3 }
    }

    pub fn s3(&self) -> &Client {
        &self.s3
    }

    /// Environment variables that a program needs to use it.
    pub fn access(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("LOG_BUCKET", BUCKET.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL_S3", self.server.url()),
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("RUST_LOG", "info".to_owned()),
        ])
    }

    pub async fn end(self) {
        self.server.end().await;
    }
}

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
        .build();
    Client::from_conf(config)
}
