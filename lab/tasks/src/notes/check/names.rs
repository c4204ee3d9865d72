//! Names of the account's resources by their ids.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::findings::{list, name, text};
use crate::notes::stand_in::StandIn;

/// Subnets, groups, prefix lists, instances and target groups.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    pub async fn read(account: &StandIn) -> Result<Self> {
        let mut names = Self::default();
        for subnet in list(&account.ask(&["ec2", "describe-subnets"]).await?["Subnets"]) {
            names.add(&subnet["SubnetId"], name(subnet));
        }
        let groups = account.ask(&["ec2", "describe-security-groups"]).await?;
        for group in list(&groups["SecurityGroups"]) {
            names.add(&group["GroupId"], text(&group["GroupName"]));
        }
        let lists = account.ask(&["ec2", "describe-managed-prefix-lists"]);
        for prefixes in list(&lists.await?["PrefixLists"]) {
            names.add(&prefixes["PrefixListId"], text(&prefixes["PrefixListName"]));
        }
        for instance in instances(account).await? {
            names.add(&instance["InstanceId"], name(&instance));
        }
        let groups = account.ask(&["elbv2", "describe-target-groups"]).await?;
        for group in list(&groups["TargetGroups"]) {
            names.add(&group["TargetGroupArn"], text(&group["TargetGroupName"]));
        }
        Ok(names)
    }

    fn add(&mut self, id: &Value, name: String) {
        self.0.insert(text(id), name);
    }

    /// Returns the name for an id; the id itself if it has none.
    pub fn of(&self, id: &Value) -> String {
        let id = text(id);
        self.0.get(&id).cloned().unwrap_or(id)
    }

    /// Returns the sorted names on one line.
    pub fn of_all<'a>(&self, ids: impl IntoIterator<Item = &'a Value>) -> String {
        let mut names: Vec<_> = ids.into_iter().map(|id| self.of(id)).collect();
        names.sort();
        names.join(", ")
    }
}

/// Returns all instances that were not terminated.
pub async fn instances(account: &StandIn) -> Result<Vec<Value>> {
    let answer = account.ask(&["ec2", "describe-instances"]).await?;
    let all = list(&answer["Reservations"])
        .iter()
        .flat_map(|reservation| list(&reservation["Instances"]));
    let here = all.filter(|instance| instance["State"]["Name"] != "terminated");
    Ok(here.cloned().collect())
}
