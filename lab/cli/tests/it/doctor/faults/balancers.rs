//! Load balancers and what is behind them.

use super::{Fault, fault};

pub(super) const FAULTS: &[Fault] = &[
    // Load balancers
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$WEB_TARGETS" --health-check-path /"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$WEB_TARGETS" --health-check-path /health"#,
    ),
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --health-check-port 80"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --health-check-port traffic-port"#,
    ),
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --matcher HttpCode=200-503"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --matcher HttpCode=200"#,
    ),
    fault(
        "balancers",
        &["idle-timeout"],
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ILB" --attributes Key=idle_timeout.timeout_seconds,Value=120"#,
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ILB" --attributes Key=idle_timeout.timeout_seconds,Value=60"#,
    ),
    fault(
        "balancers",
        &["deregistration-delay"],
        r#"aws elbv2 modify-target-group-attributes --target-group-arn "$WEB_TARGETS" --attributes Key=deregistration_delay.timeout_seconds,Value=0"#,
        r#"aws elbv2 modify-target-group-attributes --target-group-arn "$WEB_TARGETS" --attributes Key=deregistration_delay.timeout_seconds,Value=60"#,
    ),
    fault(
        "instances",
        &["instance-group"],
        r#"aws ec2 modify-instance-attribute --instance-id "$WEB_A" --groups "$APP_SG""#,
        r#"aws ec2 modify-instance-attribute --instance-id "$WEB_A" --groups "$WEB_SG""#,
    ),
    fault(
        "instances",
        &["targets-missing"],
        r#"aws elbv2 deregister-targets --target-group-arn "$WEB_TARGETS" --targets "Id=$WEB_B""#,
        r#"aws elbv2 register-targets --target-group-arn "$WEB_TARGETS" --targets "Id=$WEB_B""#,
    ),
    fault(
        "balancers",
        &["balancer-group"],
        r#"aws elbv2 set-security-groups --load-balancer-arn "$ILB" --security-groups "$WEB_SG""#,
        r#"aws elbv2 set-security-groups --load-balancer-arn "$ILB" --security-groups "$ILB_SG""#,
    ),
    fault(
        "balancers",
        &["listener-missing"],
        r#"aws elbv2 delete-listener --listener-arn "$(aws elbv2 describe-listeners --load-balancer-arn "$ILB" \
            --query 'Listeners[0].ListenerArn' --output text)""#,
        r#"aws elbv2 create-listener --load-balancer-arn "$ILB" --protocol HTTP --port 3000 \
            --default-actions "Type=forward,TargetGroupArn=$APP_TARGETS""#,
    ),
    fault(
        "balancers",
        &["balancer-deletable", "balancer-invalid-headers"],
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ALB" --attributes \
            Key=deletion_protection.enabled,Value=false \
            Key=routing.http.drop_invalid_header_fields.enabled,Value=false"#,
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ALB" --attributes \
            Key=deletion_protection.enabled,Value=true \
            Key=routing.http.drop_invalid_header_fields.enabled,Value=true"#,
    ),
    fault(
        "balancers",
        &["https-missing"],
        r#"aws elbv2 delete-listener --listener-arn "$(aws elbv2 describe-listeners --load-balancer-arn "$ALB" \
            --query 'Listeners[?Port==`443`].ListenerArn | [0]' --output text)""#,
        r#"listener "$ALB" 443 "$WEB_TARGETS" --protocol HTTPS --certificates "CertificateArn=$CERTIFICATE""#,
    ),
];
