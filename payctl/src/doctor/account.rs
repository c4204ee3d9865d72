//! What there is in the account: each question is put to AWS once.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use super::aws::{Aws, AwsAnswer, AwsError};
use super::json::{list, text};
use super::{Area, Names};

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

/// The answers.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub id: String,
    pub region: String,
    answers: BTreeMap<Call, AwsAnswer>,
}

impl Account {
    /// Asks all that these areas need.
    pub async fn look(aws: &Aws, names: &Names, areas: &[Area]) -> Result<Self, AwsError> {
        let mut account = Self {
            id: aws.account().await?,
            region: region(),
            answers: BTreeMap::new(),
        };
        let mut calls: Vec<_> = areas.iter().flat_map(|area| first(*area, names)).collect();
        // What the answers name is asked about in turn.
        for _ in 0..3 {
            calls.retain(|call| !account.answers.contains_key(call));
            calls.sort();
            calls.dedup();
            account.ask(aws, names, calls).await;
            calls = account.next(names);
        }
        Ok(account)
    }

    async fn ask(&mut self, aws: &Aws, names: &Names, calls: Vec<Call>) {
        let (id, region) = (self.id.clone(), self.region.clone());
        let asked = calls.into_iter().map(async |call| {
            let words = call.words(names, &id, &region);
            let arguments: Vec<_> = words.split(' ').collect();
            let look = aws.look(&arguments).await;
            (call, look)
        });
        self.answers.extend(join_all(asked).await);
    }

    fn next(&self, names: &Names) -> Vec<Call> {
        let ours = names.balancers().map(|ours| [ours.name, ours.targets]);
        let ours = ours.concat();
        let arns = |call: &Call, members: &str, kind: &str| -> Vec<String> {
            let found = list(self.value(call), members).iter();
            let found = found.filter(|found| ours.contains(&text(found, &format!("{kind}Name"))));
            let arn = format!("{kind}Arn");
            found.map(|found| text(found, &arn).to_owned()).collect()
        };
        let mut calls = Vec::new();
        for trail in list(self.value(&Call::Trails), "trailList") {
            calls.push(Call::TrailSelectors(text(trail, "TrailARN").to_owned()));
        }
        for arn in arns(&Call::Balancers, "LoadBalancers", "LoadBalancer") {
            if self.answers.contains_key(&Call::AutoScaling) {
                calls.push(Call::WebAcl(arn.clone()));
            }
            calls.push(Call::BalancerAttributes(arn.clone()));
            calls.push(Call::Listeners(arn));
        }
        for arn in arns(&Call::TargetGroups, "TargetGroups", "TargetGroup") {
            calls.push(Call::TargetGroupAttributes(arn.clone()));
            calls.push(Call::Targets(arn));
        }
        for rule in list(self.value(&Call::Rules), "Rules") {
            if !text(rule, "ScheduleExpression").is_empty() {
                calls.push(Call::RuleTargets(text(rule, "Name").to_owned()));
            }
        }
        for (call, look) in &self.answers {
            match (call, look) {
                (Call::QueueUrl(_), AwsAnswer::Found(answer)) => {
                    calls.push(Call::Queue(text(answer, "QueueUrl").to_owned()));
                }
                (Call::Listeners(_), AwsAnswer::Found(answer)) => {
                    let listeners = list(answer, "Listeners").iter();
                    let certificates = listeners.flat_map(|it| list(it, "Certificates"));
                    let arns = certificates.map(|it| text(it, "CertificateArn").to_owned());
                    calls.extend(arns.map(Call::Certificate));
                }
                _ => {}
            }
        }
        for database in list(self.value(&Call::Database), "DBInstances") {
            for group in list(database, "DBParameterGroups") {
                let name = text(group, "DBParameterGroupName").to_owned();
                calls.push(Call::Parameters(name));
            }
        }
        calls
    }

    /// What was seen; null if nothing was.
    pub fn value(&self, call: &Call) -> &Value {
        match self.answers.get(call) {
            Some(AwsAnswer::Found(value)) => value,
            _ => &Value::Null,
        }
    }

    /// The answer, also that there is no such thing; `None` if nothing is known.
    pub fn known(&self, call: &Call) -> Option<&Value> {
        match self.answers.get(call) {
            Some(AwsAnswer::Found(value)) => Some(value),
            Some(AwsAnswer::NotFound) => Some(&Value::Null),
            _ => None,
        }
    }

    /// The attributes of a queue by its name; `None` if that is not known, null if there is no such queue.
    pub fn queue(&self, name: &'static str) -> Option<&Value> {
        let url = self.known(&Call::QueueUrl(name))?;
        match text(url, "QueueUrl") {
            "" => Some(&Value::Null),
            url => self.known(&Call::Queue(url.to_owned())),
        }
    }

    /// What could not be looked at.
    pub fn unseen(&self) -> impl Iterator<Item = String> {
        self.answers.iter().filter_map(|(call, look)| match look {
            AwsAnswer::Unavailable(reason) => Some(format!("could not look at {call:?}: {reason}")),
            _ => None,
        })
    }

    #[cfg(test)]
    pub fn of(answers: impl IntoIterator<Item = (Call, AwsAnswer)>) -> Self {
        Self {
            id: "000000000000".to_owned(),
            region: "us-west-2".to_owned(),
            answers: answers.into_iter().collect(),
        }
    }
}

/// As the AWS CLI takes it from the environment; a profile's own is in the ARNs that it answers with.
fn region() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_REGION")
        .or_else(|| set("AWS_DEFAULT_REGION"))
        .unwrap_or_else(|| "us-west-2".to_owned())
}

fn first(area: Area, names: &Names) -> Vec<Call> {
    match area {
        Area::Routing => vec![
            Call::Vpcs,
            Call::Subnets,
            Call::RouteTables,
            Call::Endpoints,
        ],
        Area::Network => vec![
            Call::Vpcs,
            Call::Subnets,
            Call::RouteTables,
            Call::Groups,
            Call::Acls,
            Call::Endpoints,
            Call::Nats,
            Call::PrefixLists,
        ],
        Area::Instances => vec![
            Call::Vpcs,
            Call::Groups,
            Call::TargetGroups,
            Call::Instances,
        ],
        Area::Guards => vec![
            Call::Vpcs,
            Call::Endpoints,
            Call::Instances,
            Call::LogGroups,
            Call::FlowLogs,
            Call::Trails,
            Call::Budgets,
            Call::Balancers,
            Call::TargetGroups,
            Call::AutoScaling,
            Call::Database,
        ],
        Area::Alarms => vec![Call::Alarms, Call::Subscriptions],
        Area::Balancers => vec![
            Call::Vpcs,
            Call::Groups,
            Call::Balancers,
            Call::TargetGroups,
        ],
        Area::Bucket => vec![
            Call::Encryption,
            Call::Versioning,
            Call::PublicAccess,
            Call::BucketPolicy,
            Call::ObjectLock,
        ],
        Area::Function => vec![
            Call::Vpcs,
            Call::Subnets,
            Call::RouteTables,
            Call::Function,
            Call::FunctionPolicy,
            Call::Concurrency,
            Call::InvokeConfig,
            Call::Mappings,
            Call::Rules,
            Call::Schedules,
            Call::Notifications,
            Call::QueueUrl(names.dead_letters),
            Call::QueueUrl(names.queue),
            Call::Database,
        ],
        Area::Database => vec![Call::Vpcs, Call::Groups, Call::Database],
        Area::Iam => vec![Call::Vpcs, Call::Instances, Call::Iam],
        Area::Here => Vec::new(),
    }
}

impl Call {
    /// The words for the command; no name and no ARN holds a blank.
    fn words(&self, names: &Names, id: &str, region: &str) -> String {
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
