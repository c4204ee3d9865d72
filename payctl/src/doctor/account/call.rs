//! The questions to AWS, and how its command is asked each.

use super::super::{Area, Names};

/// A question to AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Vpcs,
    Subnets,
    RouteTables,
    Groups,
    Acls,
    Endpoints,
    Nats,
    Instances,
    PrefixLists,
    Balancers,
    BalancerAttributes(String),
    Listeners(String),
    Certificate(String),
    TargetGroups,
    TargetGroupAttributes(String),
    Targets(String),
    Encryption,
    Versioning,
    PublicAccess,
    BucketPolicy,
    Notifications,
    Function,
    FunctionPolicy,
    Concurrency,
    InvokeConfig,
    Mappings,
    Rules,
    RuleTargets(String),
    Schedules,
    QueueUrl(&'static str),
    Queue(String),
    Database,
    Parameters(String),
    Iam,
    Alarms,
    Subscriptions,
    ObjectLock,
    LogGroups,
    FlowLogs,
    Trails,
    TrailSelectors(String),
    Budgets,
    WebAcl(String),
    AutoScaling,
}

impl Call {
    /// What an area needs to begin with.
    pub(super) fn first(area: Area, names: &Names) -> Vec<Self> {
        match area {
            Area::Routing => vec![
                Self::Vpcs,
                Self::Subnets,
                Self::RouteTables,
                Self::Endpoints,
            ],
            Area::Network => vec![
                Self::Vpcs,
                Self::Subnets,
                Self::RouteTables,
                Self::Groups,
                Self::Acls,
                Self::Endpoints,
                Self::Nats,
                Self::PrefixLists,
            ],
            Area::Instances => vec![
                Self::Vpcs,
                Self::Groups,
                Self::TargetGroups,
                Self::Instances,
            ],
            Area::Guards => vec![
                Self::Vpcs,
                Self::Endpoints,
                Self::Instances,
                Self::LogGroups,
                Self::FlowLogs,
                Self::Trails,
                Self::Budgets,
                Self::Balancers,
                Self::TargetGroups,
                Self::AutoScaling,
                Self::Database,
            ],
            Area::Alarms => vec![Self::Alarms, Self::Subscriptions],
            Area::Balancers => vec![
                Self::Vpcs,
                Self::Groups,
                Self::Balancers,
                Self::TargetGroups,
            ],
            Area::Bucket => vec![
                Self::Encryption,
                Self::Versioning,
                Self::PublicAccess,
                Self::BucketPolicy,
                Self::ObjectLock,
            ],
            Area::Function => vec![
                Self::Vpcs,
                Self::Subnets,
                Self::RouteTables,
                Self::Function,
                Self::FunctionPolicy,
                Self::Concurrency,
                Self::InvokeConfig,
                Self::Mappings,
                Self::Rules,
                Self::Schedules,
                Self::Notifications,
                Self::QueueUrl(names.dead_letters),
                Self::QueueUrl(names.queue),
                Self::Database,
            ],
            Area::Database => vec![Self::Vpcs, Self::Groups, Self::Database],
            Area::Iam => vec![Self::Vpcs, Self::Instances, Self::Iam],
            Area::Here => Vec::new(),
        }
    }

    /// The words for the command; no name and no ARN holds a blank.
    pub(super) fn words(&self, names: &Names, id: &str, region: &str) -> String {
        let (bucket, function) = (&names.bucket, names.function);
        match self {
            Self::Vpcs => {
                let name = &names.network.vpc.name;
                format!("ec2 describe-vpcs --filters Name=tag:Name,Values={name}")
            }
            Self::Subnets => "ec2 describe-subnets".to_owned(),
            Self::RouteTables => "ec2 describe-route-tables".to_owned(),
            Self::Groups => "ec2 describe-security-groups".to_owned(),
            Self::Acls => "ec2 describe-network-acls".to_owned(),
            Self::Endpoints => "ec2 describe-vpc-endpoints".to_owned(),
            Self::Nats => "ec2 describe-nat-gateways".to_owned(),
            Self::Instances => "ec2 describe-instances".to_owned(),
            Self::PrefixLists => format!(
                "ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.{region}.s3"
            ),
            Self::Balancers => "elbv2 describe-load-balancers".to_owned(),
            Self::BalancerAttributes(arn) => {
                format!("elbv2 describe-load-balancer-attributes --load-balancer-arn {arn}")
            }
            Self::Listeners(arn) => format!("elbv2 describe-listeners --load-balancer-arn {arn}"),
            Self::Certificate(arn) => {
                format!("acm describe-certificate --certificate-arn {arn}")
            }
            Self::TargetGroups => "elbv2 describe-target-groups".to_owned(),
            Self::TargetGroupAttributes(arn) => {
                format!("elbv2 describe-target-group-attributes --target-group-arn {arn}")
            }
            Self::Targets(arn) => format!("elbv2 describe-target-health --target-group-arn {arn}"),
            Self::Encryption => format!("s3api get-bucket-encryption --bucket {bucket}"),
            Self::Versioning => format!("s3api get-bucket-versioning --bucket {bucket}"),
            Self::PublicAccess => format!("s3api get-public-access-block --bucket {bucket}"),
            Self::BucketPolicy => format!("s3api get-bucket-policy --bucket {bucket}"),
            Self::Notifications => {
                format!("s3api get-bucket-notification-configuration --bucket {bucket}")
            }
            Self::Function => {
                format!("lambda get-function-configuration --function-name {function}")
            }
            Self::FunctionPolicy => format!("lambda get-policy --function-name {function}"),
            Self::Concurrency => {
                format!("lambda get-function-concurrency --function-name {function}")
            }
            Self::InvokeConfig => {
                format!("lambda get-function-event-invoke-config --function-name {function}")
            }
            Self::Mappings => {
                format!("lambda list-event-source-mappings --function-name {function}")
            }
            Self::Rules => "events list-rules".to_owned(),
            Self::RuleTargets(rule) => format!("events list-targets-by-rule --rule {rule}"),
            Self::Schedules => "scheduler list-schedules".to_owned(),
            Self::QueueUrl(name) => format!("sqs get-queue-url --queue-name {name}"),
            Self::Queue(url) => {
                format!("sqs get-queue-attributes --attribute-names All --queue-url {url}")
            }
            Self::Database => {
                let name = names.database;
                format!("rds describe-db-instances --db-instance-identifier {name}")
            }
            Self::Parameters(group) => {
                format!("rds describe-db-parameters --db-parameter-group-name {group}")
            }
            Self::Alarms => "cloudwatch describe-alarms --alarm-name-prefix payment-".to_owned(),
            Self::Subscriptions => "sns list-subscriptions".to_owned(),
            Self::ObjectLock => format!("s3api get-object-lock-configuration --bucket {bucket}"),
            Self::LogGroups => {
                "logs describe-log-groups --log-group-name-prefix /fintech/".to_owned()
            }
            Self::FlowLogs => "ec2 describe-flow-logs".to_owned(),
            Self::Trails => "cloudtrail describe-trails".to_owned(),
            Self::TrailSelectors(arn) => {
                format!("cloudtrail get-event-selectors --trail-name {arn}")
            }
            Self::Budgets => format!("budgets describe-budgets --account-id {id}"),
            Self::WebAcl(arn) => {
                format!("wafv2 get-web-acl-for-resource --resource-arn {arn}")
            }
            Self::AutoScaling => "autoscaling describe-auto-scaling-groups".to_owned(),
            Self::Iam => {
                "iam get-account-authorization-details --filter Role LocalManagedPolicy".to_owned()
            }
        }
    }
}
