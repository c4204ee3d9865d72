//! What there is in the account: each question is put to AWS once.

mod call;

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

pub use self::call::Call;
use super::aws::{Aws, AwsAnswer, AwsError};
use super::json::{list, text};
use super::{Area, Names};

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
        let mut calls: Vec<_> = areas
            .iter()
            .flat_map(|area| Call::first(*area, names))
            .collect();
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
