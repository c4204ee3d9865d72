//! VPC, routes and instances; groups and ACLs have files of their own.

mod acls;
mod groups;

pub use groups::find as find_group;

use serde_json::Value;

use super::account::{Account, Call};
use super::json::{list, text, texts};
use super::{Findings, Names};

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(vpc) = routing(account, names, findings) else {
        return;
    };
    let mut now = names.clone();
    now.network.nat_is_on = nat_is_on(account, names, vpc);
    groups::check(account, &now, vpc, findings);
    acls::check(account, &now, vpc, findings);
    nats(account, vpc, findings);
}

/// The VPC itself, its subnets, their routes and S3's endpoint; the VPC's id.
pub fn routing<'a>(
    account: &'a Account,
    names: &Names,
    findings: &mut Findings,
) -> Option<&'a str> {
    let Some(vpc) = vpc(account) else {
        if account.known(&Call::Vpcs).is_some() {
            let name = &names.network.vpc.name;
            findings
                .error("vpc-missing", format!("there is no VPC named {name}"))
                .causes("nothing of the network can be checked, or nothing is there yet")
                .why("the VPC is known by its tag Name, in the region of the AWS CLI")
                .mend("page 1 of the notes makes it; in another region: set AWS_REGION");
        }
        return None;
    };
    each_subnet(account, names, vpc, findings);
    endpoint(account, names, vpc, findings);
    routes(account, names, vpc, findings);
    Some(vpc)
}

/// A subnet is known by its addresses.
fn each_subnet(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    if account.known(&Call::Subnets).is_none() {
        return;
    }
    for wanted in &names.network.subnets {
        let cidr = wanted.cidr.to_string();
        let mut found = within(account, &Call::Subnets, "Subnets", vpc);
        let Some(found) = found.find(|subnet| text(subnet, "CidrBlock") == cidr) else {
            findings
                .error(
                    "subnet-missing",
                    format!("{vpc} has no subnet {cidr} ({})", wanted.name),
                )
                .causes("load balancers, function and database can't be put into two zones")
                .why("groups, ACLs and routes are planned for these four")
                .mend("page 1 of the notes makes it");
            continue;
        };
        let zone = text(found, "AvailabilityZone");
        if !zone.ends_with(&wanted.zone.to_string()) {
            findings
                .error(
                    "subnet-zone",
                    format!(
                        "the subnet {} ({cidr}) is in {zone}, not in zone {}",
                        wanted.name, wanted.zone
                    ),
                )
                .causes(
                    "with both subnets of a kind in one zone, an outage of it takes out the tier",
                )
                .why("load balancer and database want two zones, and a subnet can't be moved")
                .mend("delete it while it is empty, and make it again as page 1 of the notes does");
        }
    }
}

/// Whether the private subnets lead out by a NAT gateway now.
fn nat_is_on(account: &Account, names: &Names, vpc: &str) -> bool {
    let private = subnets(account, names, vpc, is_private);
    let mut tables = private
        .into_iter()
        .filter_map(|subnet| table(account, vpc, subnet));
    tables.any(|table| default_route(table).is_some_and(|way| way.starts_with("nat-")))
}

/// Its id; [`Call::Vpcs`] asks for the one of that name.
pub fn vpc(account: &Account) -> Option<&str> {
    let found = list(account.value(&Call::Vpcs), "Vpcs").first()?;
    Some(text(found, "VpcId"))
}

/// The members of an answer that are in the VPC.
fn within<'a>(
    account: &'a Account,
    call: &Call,
    members: &str,
    vpc: &'a str,
) -> impl Iterator<Item = &'a Value> {
    let all = list(account.value(call), members).iter();
    all.filter(move |member| text(member, "VpcId") == vpc)
}

/// The subnets that the notes call private or public, by id.
pub fn subnets<'a>(
    account: &'a Account,
    names: &Names,
    vpc: &'a str,
    is_wanted: impl Fn(&aws_model::network::Subnet) -> bool,
) -> Vec<&'a str> {
    let is_named = |subnet: &&Value| {
        let cidr = text(subnet, "CidrBlock");
        let mut named = names.network.subnets.iter();
        named.any(|named| named.cidr.to_string() == cidr && is_wanted(named))
    };
    let found = within(account, &Call::Subnets, "Subnets", vpc).filter(is_named);
    found.map(|subnet| text(subnet, "SubnetId")).collect()
}

pub fn is_private(subnet: &aws_model::network::Subnet) -> bool {
    subnet.route_table.as_str().starts_with("Private")
}

/// The route table of a subnet: its own, or the VPC's main one.
pub fn table<'a>(account: &'a Account, vpc: &'a str, subnet: &str) -> Option<&'a Value> {
    let tables = || within(account, &Call::RouteTables, "RouteTables", vpc);
    let has = |table: &&Value, wanted: &dyn Fn(&Value) -> bool| {
        list(table, "Associations").iter().any(wanted)
    };
    let own = |link: &Value| text(link, "SubnetId") == subnet;
    let main = |link: &Value| super::json::is_true(link, "Main");
    let found = tables().find(|table| has(table, &own));
    found.or_else(|| tables().find(|table| has(table, &main)))
}

/// Where 0.0.0.0/0 leads.
pub fn default_route(table: &Value) -> Option<&str> {
    let routes = list(table, "Routes").iter();
    let mut routes = routes.filter(|route| text(route, "DestinationCidrBlock") == "0.0.0.0/0");
    let route = routes.next()?;
    let ways = [
        "NatGatewayId",
        "GatewayId",
        "InstanceId",
        "NetworkInterfaceId",
    ];
    ways.into_iter()
        .map(|way| text(route, way))
        .find(|id| !id.is_empty())
}

fn endpoint(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    if account.known(&Call::Endpoints).is_none() {
        return;
    }
    let mut tables: Vec<_> = subnets(account, names, vpc, is_private)
        .into_iter()
        .filter_map(|subnet| table(account, vpc, subnet))
        .map(|table| text(table, "RouteTableId"))
        .collect();
    tables.sort_unstable();
    tables.dedup();
    let service = format!("com.amazonaws.{}.s3", account.region);
    let mut endpoints = within(account, &Call::Endpoints, "VpcEndpoints", vpc).filter(|endpoint| {
        text(endpoint, "ServiceName") == service
            && text(endpoint, "VpcEndpointType") == "Gateway"
            && !text(endpoint, "State").starts_with("delet")
    });
    let why = "private subnets have no way to the internet, and S3 is outside the VPC";
    let causes =
        "the function hangs until its timeout, the app tier answers 503: neither reaches S3";
    let Some(endpoint) = endpoints.next() else {
        findings.error("s3-endpoint-missing", format!("{vpc} has no gateway endpoint for S3"))
                .causes(causes)
                .why(why)
                .mend(format!(
                    "aws ec2 create-vpc-endpoint --vpc-id {vpc} --vpc-endpoint-type Gateway --service-name {service} \
                     --route-table-ids {}",
                    tables.join(" ")
                ));
        return;
    };
    let routed = texts(endpoint, "RouteTableIds");
    for table in tables.iter().filter(|table| !routed.contains(*table)) {
        let id = text(endpoint, "VpcEndpointId");
        findings
            .error(
                "s3-endpoint-not-routed",
                format!("the private route table {table} has no route to S3's endpoint {id}"),
            )
            .causes(causes)
            .why("a gateway endpoint serves the route tables that it is told, and no others")
            .mend(format!(
                "aws ec2 modify-vpc-endpoint --vpc-endpoint-id {id} --add-route-table-ids {table}"
            ));
    }
}

fn routes(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    let is_gateway = |way: &str| way.starts_with("igw-");
    let mut seen = Vec::new();
    for (private, subnet) in [true, false].into_iter().flat_map(|private| {
        let found = subnets(account, names, vpc, |subnet| is_private(subnet) == private);
        found.into_iter().map(move |subnet| (private, subnet))
    }) {
        let Some(table) = table(account, vpc, subnet) else {
            continue;
        };
        let id = text(table, "RouteTableId");
        let way = default_route(table).unwrap_or_default();
        if seen.contains(&(private, id)) {
            continue;
        }
        seen.push((private, id));
        if private && is_gateway(way) {
            findings
                .error(
                    "private-subnet-public",
                    format!(
                        "the private subnet {subnet} leads to the internet gateway {way} by {id}"
                    ),
                )
                .causes("app tier and database are one wrong group away from the internet")
                .why("a subnet is private only while its route table has no internet gateway")
                .mend(format!(
                    "aws ec2 delete-route --route-table-id {id} --destination-cidr-block 0.0.0.0/0"
                ));
        } else if private && way.starts_with("nat-") {
            findings
                .warning(
                    "nat-left-on",
                    format!("the private route table {id} leads out by {way}"),
                )
                .causes("some $33 a month and zone, and a way out for whoever gets into a machine")
                .why("it is needed only while packages are installed or shells are open")
                .mend("close_way_out, of deploy-notes/functions.sh");
        } else if !private && !is_gateway(way) {
            findings.error(
                    "public-route-missing",
                    format!("the public route table {id} has no route to an internet gateway"),
                )
                .causes("clients can't reach the external load balancer: connections time out")
                .why("answers have no way back to the internet")
                .mend(format!(
                    "aws ec2 create-route --route-table-id {id} --destination-cidr-block 0.0.0.0/0 --gateway-id \
                     $(aws ec2 describe-internet-gateways --filters Name=attachment.vpc-id,Values={vpc} \
                     --query 'InternetGateways[0].InternetGatewayId' --output text)"
                ));
        }
    }
}

/// One that no route leads to any more costs all the same.
fn nats(account: &Account, vpc: &str, findings: &mut Findings) {
    let routed = within(account, &Call::RouteTables, "RouteTables", vpc)
        .filter_map(default_route)
        .collect::<Vec<_>>();
    for nat in within(account, &Call::Nats, "NatGateways", vpc) {
        let id = text(nat, "NatGatewayId");
        if text(nat, "State") == "available" && !routed.contains(&id) {
            findings
                .warning(
                    "nat-unused",
                    format!("the NAT gateway {id} has no route to it"),
                )
                .causes("some $33 a month for nothing")
                .why("a NAT gateway costs by the hour, used or not")
                .mend(format!("aws ec2 delete-nat-gateway --nat-gateway-id {id}"));
        }
    }
}

/// The VPC's instances that run.
pub fn running<'a>(account: &'a Account, vpc: &'a str) -> impl Iterator<Item = &'a Value> {
    let reservations = list(account.value(&Call::Instances), "Reservations").iter();
    reservations
        .flat_map(|reservation| list(reservation, "Instances"))
        .filter(move |instance| {
            text(instance, "VpcId") == vpc && text(instance, "State.Name") == "running"
        })
}
