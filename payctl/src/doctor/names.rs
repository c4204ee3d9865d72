//! What the notes call things.

use aws_model::network::Network;

/// Written next to the notes, and the same for the lab.
const NETWORK: &str = include_str!("../../../deploy-notes/network.toml");

/// Names and values that an account is held against.
#[derive(Clone, Debug)]
pub struct Names {
    pub network: Network,
    pub bucket: String,
    pub prefix: String,
    pub function: &'static str,
    pub dead_letters: &'static str,
    pub queue: &'static str,
    pub external: Balancer,
    pub internal: Balancer,
    pub database: &'static str,
    pub app_role: &'static str,
    pub function_role: &'static str,
    pub operator_role: &'static str,
}

/// A load balancer and its targets.
#[derive(Clone, Copy, Debug)]
pub struct Balancer {
    pub name: &'static str,
    pub targets: &'static str,
    /// That one of these is enough shows that HTTPS may stand in for HTTP.
    pub ports: &'static [i64],
    pub scheme: &'static str,
    pub group: &'static str,
}

impl Names {
    pub fn new(bucket: String, prefix: String) -> Result<Self, aws_model::network::Error> {
        Ok(Self {
            network: Network::parse(NETWORK)?,
            bucket,
            prefix,
            function: "FinTechTransactionAlert",
            dead_letters: "FinTechTransactionAlert-dlq",
            queue: "payments-events",
            external: Balancer {
                name: "FinTech-ALB",
                targets: "Web-Tier-TG",
                ports: &[80, 443],
                scheme: "internet-facing",
                group: "ALB SG",
            },
            internal: Balancer {
                name: "FinTech-Internal-ALB",
                targets: "AppTier-TG-3000",
                ports: &[3000],
                scheme: "internal",
                group: "ILB SG",
            },
            database: "payment-db",
            app_role: "EC2-S3-Access-Role",
            function_role: "Lambda-FinTech-Pipeline-Role",
            operator_role: "EC2-Operator-Role",
        })
    }

    pub fn balancers(&self) -> [Balancer; 2] {
        [self.external, self.internal]
    }
}
