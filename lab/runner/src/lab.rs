//! One lab: its directory, settings and secrets, from which its parts follow.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use aws_credential_types::Credentials as KeyPair;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;

use tls::Roots;

use crate::{
    certificate, http,
    part_name::PartName,
    ports::LINKED,
    state::{
        LabDir,
        credentials::{AccessKey, Credentials},
        settings::Settings,
    },
    vpc::{INTERNAL_ALB, Vpc},
    workspace::Workspace,
};

pub const REGION: &str = "us-west-2";
pub const ACCOUNT_ID: &str = "000000000000";
pub const BUCKET: &str = "fintech-payment-pipeline";
/// Queue that S3 sends its events to, in a lab with a queue.
pub const QUEUE: &str = "payments-events";
/// Queue of events that the function finally failed.
pub const DEAD_LETTER_QUEUE: &str = "FinTechTransactionAlert-dlq";
pub const FUNCTION: &str = "FinTechTransactionAlert";

/// Memory and timeout of the function, as in the notes.
pub const FUNCTION_MEMORY_MB: u32 = 256;
pub const FUNCTION_TIMEOUT_SECONDS: u32 = 60;

/// Something that not every lab has, and that faults can be injected into.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Absent {
    #[error("this lab has no relay: start it with `up --relay`")]
    Relay,
    #[error("this lab has no database server of its own, so faults cannot be injected into it")]
    Server,
    #[error("this lab has no VPC; start it with `up --vpc`")]
    Vpc,
}

#[derive(Clone, Debug)]
pub struct Lab {
    pub workspace: Workspace,
    pub dir: LabDir,
    pub settings: Settings,
    pub credentials: Credentials,
    /// Present in a lab with `--vpc`.
    pub vpc: Option<Arc<Vpc>>,
}

impl Lab {
    /// Loads a lab that `up` prepared.
    pub fn load(dir: LabDir, workspace: Workspace) -> Result<Self> {
        let settings = Settings::load(&dir)?;
        let vpc = settings.vpc.as_ref();
        Ok(Self {
            vpc: vpc
                .map(|vpc| Vpc::of(vpc, &dir).map(Arc::new))
                .transpose()?,
            settings,
            credentials: Credentials::load(&dir)?,
            workspace,
            dir,
        })
    }

    /// Address at which a person reaches a part.
    pub fn address(&self, part: PartName) -> SocketAddr {
        self.settings.ports.address(part)
    }

    pub fn url(&self, part: PartName) -> String {
        format!("{}://{}", self.scheme(part), self.address(part))
    }

    fn scheme(&self, part: PartName) -> &'static str {
        if self.speaks_tls(part) {
            "https"
        } else {
            "http"
        }
    }

    pub fn speaks_tls(&self, part: PartName) -> bool {
        self.settings.tls && part.is_on_the_path()
    }

    /// What tiers and load balancers show, in a lab with `--tls`.
    pub fn tls(&self) -> Option<certificate::Files> {
        let files = || certificate::Files::of(&self.dir);
        self.settings.tls.then(files)
    }

    /// CAs that a client of this lab trusts: its own, or none.
    pub fn roots(&self) -> Result<Roots> {
        self.tls().map_or_else(
            || Ok(Roots::none()),
            |files| Roots::of_file(&files.ca).context("the lab's CA can't be read"),
        )
    }

    /// A client towards any part, which waits so long for an answer.
    pub fn client(&self, timeout: Duration) -> Result<http::Client> {
        Ok(http::Client::new(&self.roots()?, timeout)?)
    }

    /// Address on which a part listens: in a VPC, the tiers and the database listen on all addresses of their host.
    pub fn listens(&self, part: PartName) -> SocketAddr {
        match (part, self.vpc.as_ref().and_then(|vpc| vpc.address(part))) {
            (PartName::S3 | PartName::Ilb, _) | (_, None) => self.address(part),
            (_, Some(address)) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())),
        }
    }

    /// Address at which other parts reach this one: through the VPC or the relay, if the lab has one.
    pub fn route(&self, part: PartName) -> SocketAddr {
        if let Some(address) = self.vpc.as_ref().and_then(|vpc| vpc.address(part)) {
            address.into()
        } else if self.settings.relay && LINKED.contains(&part) {
            self.settings.ports.link(part)
        } else {
            self.address(part)
        }
    }

    /// Address at which the programs reach S3.
    pub fn s3_endpoint(&self) -> String {
        match &self.vpc {
            Some(_) => format!("http://{}", self.route(PartName::S3)),
            None => self.url(PartName::S3),
        }
    }

    /// Returns a client of the lab's S3, as a person reaches it, with this key.
    pub fn s3(&self, key: &AccessKey) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.url(PartName::S3))
            .force_path_style(true)
            .credentials_provider(KeyPair::from_keys(&key.id, key.secret.expose(), None))
            .http_client(Builder::new().build_http())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// URL at which the web tier reaches the internal load balancer: in a VPC, a name that resolves to every node.
    pub fn app_tier_url(&self) -> String {
        let (scheme, address) = (self.scheme(PartName::Ilb), self.route(PartName::Ilb));
        match &self.vpc {
            Some(_) => format!("{scheme}://{INTERNAL_ALB}:{}", address.port()),
            None => format!("{scheme}://{address}"),
        }
    }

    /// CA bundle with which programs verify the database's certificate, if it is on another host.
    pub fn ca_bundle(&self) -> Option<String> {
        self.vpc.as_ref()?;
        let files = certificate::Files::of(&self.dir);
        Some(files.ca.to_string_lossy().into_owned())
    }

    /// Address of a tier's metrics.
    pub fn admin_address(&self, tier: PartName) -> SocketAddr {
        self.settings.ports.admin(tier)
    }

    /// Returns the names of this lab's parts.
    pub fn part_names(&self) -> Vec<PartName> {
        PartName::ALL
            .iter()
            .copied()
            .filter(|name| match name {
                PartName::Mysql => self.settings.tools.database.is_some(),
                PartName::Relay => self.settings.relay,
                PartName::Control => self.vpc.is_some(),
                PartName::Console => self.settings.console,
                _ => true,
            })
            .collect()
    }

    /// Returns its VPC, or an error if it has none.
    pub fn required_vpc(&self) -> Result<&Vpc> {
        self.vpc.as_deref().ok_or(Absent::Vpc.into())
    }

    /// Path of an IAM policy that the lab enforces.
    pub fn policy(&self, file: &str) -> PathBuf {
        let folder = self.settings.iam.as_deref();
        folder.map_or_else(|| self.workspace.policy(file), |folder| folder.join(file))
    }
}
