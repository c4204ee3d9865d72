//! Groups, ACLs and routes.

use super::{Fault, fault};

pub(super) const FAULTS: &[Fault] = &[
    // Groups
    fault(
        "network",
        &["ssh-open"],
        r#"group_rule add "$WEB_SG" in 22 0.0.0.0/0"#,
        r#"group_rule remove "$WEB_SG" in 22 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["group-too-open"],
        r#"group_rule add "$APP_SG" in 3000 0.0.0.0/0"#,
        r#"group_rule remove "$APP_SG" in 3000 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["group-link-missing"],
        r#"group_rule remove "$ILB_SG" in 3000 "$WEB_SG""#,
        r#"group_rule add "$ILB_SG" in 3000 "$WEB_SG""#,
    ),
    // The wrong port is one rule too many and one missing.
    fault(
        "network",
        &["group-link-missing", "group-too-open"],
        r#"group_rule remove "$RDS_SG" in 3306 "$LAMBDA_SG"; group_rule add "$RDS_SG" in 3307 "$LAMBDA_SG""#,
        r#"group_rule remove "$RDS_SG" in 3307 "$LAMBDA_SG"; group_rule add "$RDS_SG" in 3306 "$LAMBDA_SG""#,
    ),
    fault(
        "network",
        &["group-way-out-missing"],
        r#"group_rule remove "$LAMBDA_SG" out 443 "$S3_PREFIXES""#,
        r#"group_rule add "$LAMBDA_SG" out 443 "$S3_PREFIXES""#,
    ),
    fault(
        "network",
        &["group-way-out-too-open"],
        r#"group_rule add "$RDS_SG" out 443 0.0.0.0/0"#,
        r#"group_rule remove "$RDS_SG" out 443 0.0.0.0/0"#,
    ),
    // ACLs
    fault(
        "network",
        &["acl-ephemeral-hole", "acl-ephemeral-hole"],
        r#"acl_entry "$PRIVATE_ACL" in 190 allow 1024-65535 0.0.0.0/0"#,
        r#"acl_remove "$PRIVATE_ACL" in 190"#,
    ),
    fault(
        "network",
        &["acl-ephemeral-hole"],
        r#"acl_remove "$PRIVATE_ACL" in 210"#,
        r#"acl_entry "$PRIVATE_ACL" in 210 deny 3306 0.0.0.0/0"#,
    ),
    // The quota of 20 entries, including those of the NAT gateway, which are absent now.
    fault(
        "network",
        &["acl-full"],
        r#"for number in $(seq 400 409); do acl_entry "$PUBLIC_ACL" in "$number" allow 443 "10.1.$((number - 400)).0/24"; done"#,
        r#"for number in $(seq 400 409); do acl_remove "$PUBLIC_ACL" in "$number"; done"#,
    ),
    fault(
        "network",
        &["acl-way-back-missing"],
        r#"acl_remove "$PUBLIC_ACL" in 300"#,
        r#"acl_entry "$PUBLIC_ACL" in 300 allow 1024-65535 "$VPC_CIDR""#,
    ),
    fault(
        "network",
        &["acl-way-missing"],
        r#"acl_remove "$PUBLIC_ACL" in 100"#,
        r#"acl_entry "$PUBLIC_ACL" in 100 allow 80 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["acl-way-missing"],
        r#"acl_remove "$PRIVATE_ACL" out 310"#,
        r#"acl_entry "$PRIVATE_ACL" out 310 allow 443 0.0.0.0/0"#,
    ),
    // Routes
    fault(
        "network",
        &["s3-endpoint-missing"],
        r#"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids "$S3_ENDPOINT""#,
        r#"S3_ENDPOINT=$(aws ec2 create-vpc-endpoint --vpc-id "$VPC" --vpc-endpoint-type Gateway \
            --service-name "com.amazonaws.$AWS_REGION.s3" --route-table-ids "$PRIVATE_ROUTES" \
            --query VpcEndpoint.VpcEndpointId --output text)"#,
    ),
    fault(
        "network",
        &["s3-endpoint-not-routed"],
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --remove-route-table-ids "$PRIVATE_ROUTES""#,
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --add-route-table-ids "$PRIVATE_ROUTES""#,
    ),
    fault(
        "network",
        &["nat-unused"],
        r#"nat=$(aws ec2 create-nat-gateway --subnet-id "$PUBLIC_A" --query NatGateway.NatGatewayId --output text)"#,
        r#"aws ec2 delete-nat-gateway --nat-gateway-id "$nat""#,
    ),
    fault("network", &["nat-left-on"], "open_way_out", "close_way_out"),
    // The path to the internet, partly closed.
    fault(
        "network",
        &["group-way-out-too-open"],
        r#"group_rule add "$WEB_SG" out 443 0.0.0.0/0"#,
        r#"group_rule remove "$WEB_SG" out 443 0.0.0.0/0"#,
    ),
    // Endpoints of Systems Manager are not a fault.
    fault("network", &[], "open_endpoints", "close_endpoints"),
    fault(
        "network",
        &["private-subnet-public"],
        r#"aws ec2 create-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY""#,
        r#"aws ec2 delete-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["public-route-missing"],
        r#"aws ec2 delete-route --route-table-id "$PUBLIC_ROUTES" --destination-cidr-block 0.0.0.0/0"#,
        r#"aws ec2 create-route --route-table-id "$PUBLIC_ROUTES" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY""#,
    ),
    fault(
        "instances",
        &["imds-v1"],
        r#"aws ec2 modify-instance-metadata-options --instance-id "$APP_A" --http-tokens optional"#,
        r#"aws ec2 modify-instance-metadata-options --instance-id "$APP_A" --http-tokens required"#,
    ),
];
