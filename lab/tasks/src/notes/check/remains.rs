//! What still exists after the tear-down.

use anyhow::Result;
use serde_json::Value;

use super::findings::{list as members, text};
use crate::notes::stand_in::StandIn;

/// A command, and the part of its answer that must be empty.
const QUESTIONS: [(&str, &str); 33] = [
    ("ec2 describe-vpcs", "Vpcs[?!IsDefault].VpcId"),
    ("ec2 describe-subnets", "Subnets[?!DefaultForAz].SubnetId"),
    (
        "ec2 describe-internet-gateways",
        "InternetGateways[?Tags].InternetGatewayId",
    ),
    (
        "ec2 describe-route-tables",
        "RouteTables[?Tags].RouteTableId",
    ),
    (
        "ec2 describe-network-acls",
        "NetworkAcls[?!IsDefault].NetworkAclId",
    ),
    (
        "ec2 describe-security-groups",
        "SecurityGroups[?GroupName!='default'].GroupName",
    ),
    (
        "ec2 describe-vpc-endpoints",
        "VpcEndpoints[?State!='deleted'].VpcEndpointId",
    ),
    (
        "ec2 describe-nat-gateways",
        "NatGateways[?State!='deleted'].NatGatewayId",
    ),
    ("ec2 describe-addresses", "Addresses[].AllocationId"),
    (
        "ec2 describe-instances",
        "Reservations[].Instances[?State.Name!='terminated'].InstanceId[]",
    ),
    (
        "ec2 describe-network-interfaces",
        "NetworkInterfaces[?starts_with(not_null(Description, ''), 'AWS Lambda')].NetworkInterfaceId",
    ),
    (
        "ec2 describe-launch-templates",
        "LaunchTemplates[].LaunchTemplateName",
    ),
    ("ec2 describe-flow-logs", "FlowLogs[].FlowLogId"),
    (
        "autoscaling describe-auto-scaling-groups",
        "AutoScalingGroups[].AutoScalingGroupName",
    ),
    ("cloudtrail describe-trails", "trailList[].Name"),
    ("wafv2 list-web-acls --scope REGIONAL", "WebACLs[].Name"),
    (
        "budgets describe-budgets --account-id 123456789012",
        "Budgets[].BudgetName",
    ),
    ("ec2 describe-volumes", "Volumes[].VolumeId"),
    (
        "elbv2 describe-load-balancers",
        "LoadBalancers[].LoadBalancerName",
    ),
    (
        "elbv2 describe-target-groups",
        "TargetGroups[].TargetGroupName",
    ),
    (
        "acm list-certificates",
        "CertificateSummaryList[].CertificateArn",
    ),
    (
        "rds describe-db-instances",
        "DBInstances[].DBInstanceIdentifier",
    ),
    (
        "rds describe-db-subnet-groups",
        "DBSubnetGroups[].DBSubnetGroupName",
    ),
    (
        "rds describe-db-parameter-groups",
        "DBParameterGroups[].DBParameterGroupName",
    ),
    ("lambda list-functions", "Functions[].FunctionName"),
    ("lambda list-layers", "Layers[].LayerName"),
    (
        "lambda list-event-source-mappings",
        "EventSourceMappings[].EventSourceArn",
    ),
    ("events list-rules", "Rules[].Name"),
    ("sqs list-queues", "QueueUrls"),
    ("sns list-topics", "Topics[].TopicArn"),
    ("cloudwatch describe-alarms", "MetricAlarms[].AlarmName"),
    (
        "cloudwatch list-dashboards",
        "DashboardEntries[].DashboardName",
    ),
    ("logs describe-log-groups", "logGroups[].logGroupName"),
];

const OF_THE_ACCOUNT: [(&str, &str); 3] = [
    ("iam list-roles", "Roles[].RoleName"),
    (
        "iam list-instance-profiles",
        "InstanceProfiles[].InstanceProfileName",
    ),
    // The trail's bucket keeps its objects for 13 months.
    (
        "s3api list-buckets",
        "Buckets[?!ends_with(Name, '-trail')].Name",
    ),
];

pub async fn list(account: &StandIn) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for (command, query) in QUESTIONS.into_iter().chain(OF_THE_ACCOUNT) {
        let mut words: Vec<_> = command.split(' ').collect();
        words.extend(["--query", query]);
        let answer = account.ask(&words).await?;
        let things = members(&answer).iter().filter(|thing| !thing.is_null());
        left.extend(things.map(|thing: &Value| format!("{command}: {} is left", text(thing))));
    }
    Ok(left)
}
