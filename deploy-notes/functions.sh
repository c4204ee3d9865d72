# shellcheck shell=bash
# What several pages do, once. settings.sh reads this file.

# Keeps what a command printed, for this shell and those to come: keep VPC "$(aws ec2 create-vpc …)".
keep() {
    case ${2:-} in
    "" | None | null)
        echo "keep $1: the command before gave nothing; see its error above" >&2
        return 1
        ;;
    esac
    printf -v "$1" %s "$2"
    printf '%s=%q\n' "$1" "$2" >>"$IDS"
    echo "$1=$2"
}

# A Name tag for a thing that is being made: named vpc FinTechVPC.
named() {
    echo "ResourceType=$1,Tags=[{Key=Name,Value=$2}]"
}

# A file of deploy-notes/iam with this account, region, bucket and database in it.
policy() {
    sed -e "s/000000000000/$ACCOUNT/g" -e "s/us-west-2/$AWS_REGION/g" -e "s/fintech-payment-pipeline/$BUCKET/g" \
        -e "s/db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/${DATABASE_ID:-db-ABCDEFGHIJKLMNOPQRSTUVWXYZ}/g" \
        -e "s/vpce-00000000000000000/${S3_ENDPOINT:-vpce-00000000000000000}/g" "deploy-notes/iam/$1"
}

# Holds the account against these notes: doctor network.
doctor() {
    env "LOG_BUCKET=$BUCKET" ${ALB_URL:+"ALB_URL=$ALB_URL"} "$PAYCTL" doctor "$@"
}

# A role's own policy, from its file: inline ROLE NAME
inline() {
    aws iam put-role-policy --role-name "$1" --policy-name "$2" --policy-document "$(policy "$2.json")"
}

# The codes of what doctor guards still advises.
advice() {
    doctor guards | awk '/^advice/ { sub(":", "", $2); print $2 }' | sort -u
}

# A rule of a security group for one TCP port. The peer is a CIDR, a group or a prefix list.
# group_rule add|remove GROUP in|out PORT PEER
group_rule() {
    local verb=authorize direction=ingress peer
    [ "$1" = add ] || verb=revoke
    [ "$3" = in ] || direction=egress
    case $5 in
    sg-*) peer="UserIdGroupPairs=[{GroupId=$5}]" ;;
    pl-*) peer="PrefixListIds=[{PrefixListId=$5}]" ;;
    *) peer="IpRanges=[{CidrIp=$5}]" ;;
    esac
    aws ec2 "$verb-security-group-$direction" --group-id "$2" \
        --ip-permissions "IpProtocol=tcp,FromPort=$4,ToPort=$4,$peer" >/dev/null
}

# An entry of a network ACL for TCP; PORTS is one or FROM-TO.
# acl_entry ACL in|out NUMBER allow|deny PORTS CIDR
acl_entry() {
    local direction=--ingress
    [ "$2" = in ] || direction=--egress
    aws ec2 create-network-acl-entry --network-acl-id "$1" "$direction" --rule-number "$3" --rule-action "$4" \
        --protocol tcp --port-range "From=${5%-*},To=${5#*-}" --cidr-block "$6"
}

# acl_remove ACL in|out NUMBER
acl_remove() {
    local direction=--ingress
    [ "$2" = in ] || direction=--egress
    aws ec2 delete-network-acl-entry --network-acl-id "$1" "$direction" --rule-number "$3"
}

# Puts an ACL on a subnet, in place of the one that it has: use_acl ACL SUBNET
use_acl() {
    local association
    association=$(aws ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$2" --output text \
        --query "NetworkAcls[0].Associations[?SubnetId=='$2'].NetworkAclAssociationId") || return
    aws ec2 replace-network-acl-association --association-id "$association" --network-acl-id "$1" >/dev/null
}

# The NAT gateways of the way out that are there.
way_out() {
    aws ec2 describe-nat-gateways --filter "Name=vpc-id,Values=$VPC" Name=tag:Name,Values=way-out \
        Name=state,Values=pending,available --query 'NatGateways[].NatGatewayId' --output text
}

# While packages are installed and shells are open: a NAT gateway for the private subnets, and HTTPS out of both tiers.
open_way_out() {
    local address there
    there=$(way_out) || return
    [ -z "$there" ] || { echo "the way out is open, by $there; if a part is missing: close_way_out first" >&2; return 1; }
    address=$(aws ec2 allocate-address --domain vpc --tag-specifications "$(named elastic-ip way-out)" \
        --query AllocationId --output text) || return
    keep NAT "$(aws ec2 create-nat-gateway --subnet-id "$PUBLIC_A" --allocation-id "$address" \
        --tag-specifications "$(named natgateway way-out)" --query NatGateway.NatGatewayId --output text)" || return
    aws ec2 wait nat-gateway-available --nat-gateway-ids "$NAT" || return
    aws ec2 create-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0 \
        --nat-gateway-id "$NAT" >/dev/null
    group_rule add "$WEB_SG" out 443 0.0.0.0/0
    group_rule add "$APP_SG" out 443 0.0.0.0/0
    acl_entry "$PUBLIC_ACL" in 1000 allow 1024-65535 0.0.0.0/0
    acl_entry "$PUBLIC_ACL" out 1000 allow 443 0.0.0.0/0
}

# Endpoints of Systems Manager in the VPC: shells on the instances without any way to the internet.
open_endpoints() {
    local service
    keep ENDPOINT_SG "$(aws ec2 create-security-group --vpc-id "$VPC" --group-name 'Endpoint SG' \
        --description 'endpoints of Systems Manager' --tag-specifications "$(named security-group 'Endpoint SG')" \
        --query GroupId --output text)" || return
    for service in ssm ssmmessages; do
        aws ec2 create-vpc-endpoint --vpc-id "$VPC" --vpc-endpoint-type Interface --private-dns-enabled \
            --service-name "com.amazonaws.$AWS_REGION.$service" --subnet-ids "$PRIVATE_A" \
            --security-group-ids "$ENDPOINT_SG" --tag-specifications "$(named vpc-endpoint "$service")" >/dev/null || return
    done
    group_rule add "$ENDPOINT_SG" in 443 "$WEB_SG"
    group_rule add "$ENDPOINT_SG" in 443 "$APP_SG"
    group_rule add "$WEB_SG" out 443 "$ENDPOINT_SG"
    group_rule add "$APP_SG" out 443 "$ENDPOINT_SG"
    acl_entry "$PUBLIC_ACL" out 1010 allow 443 "$VPC_CIDR"
    acl_entry "$PRIVATE_ACL" in 1010 allow 443 "$VPC_CIDR"
}

# Takes all of it back.
close_endpoints() {
    local endpoints
    acl_remove "$PUBLIC_ACL" out 1010
    acl_remove "$PRIVATE_ACL" in 1010
    group_rule remove "$WEB_SG" out 443 "$ENDPOINT_SG"
    group_rule remove "$APP_SG" out 443 "$ENDPOINT_SG"
    endpoints() {
        aws ec2 describe-vpc-endpoints --filters "Name=vpc-id,Values=$VPC" Name=tag:Name,Values=ssm,ssmmessages \
            --query 'VpcEndpoints[?State!=`deleted`].VpcEndpointId' --output text
    }
    # shellcheck disable=SC2046 # several ids
    aws ec2 delete-vpc-endpoints --vpc-endpoint-ids $(endpoints) >/dev/null
    until [ -z "$(endpoints)" ]; do sleep 5; done
    aws ec2 delete-security-group --group-id "$ENDPOINT_SG" >/dev/null
}

# Web instances have no address on the internet. They get one while the way out is open: lend_address INSTANCE
lend_address() {
    local address
    address=$(aws ec2 allocate-address --domain vpc --tag-specifications "$(named elastic-ip way-out)" \
        --query AllocationId --output text) || return
    aws ec2 associate-address --allocation-id "$address" --instance-id "$1" >/dev/null
}

# Takes all of it back. What is gone already is an error here, and no harm.
close_way_out() {
    local nat
    aws ec2 delete-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0
    group_rule remove "$WEB_SG" out 443 0.0.0.0/0
    group_rule remove "$APP_SG" out 443 0.0.0.0/0
    acl_remove "$PUBLIC_ACL" in 1000
    acl_remove "$PUBLIC_ACL" out 1000
    for nat in $(way_out); do
        aws ec2 delete-nat-gateway --nat-gateway-id "$nat" >/dev/null
        aws ec2 wait nat-gateway-deleted --nat-gateway-ids "$nat"
    done
    release_addresses
}

# Releases the addresses of the way out, which cost money as long as they are there, used or not.
release_addresses() {
    local address association
    aws ec2 describe-addresses --filters Name=tag:Name,Values=way-out \
        --query 'Addresses[].[AllocationId,AssociationId]' --output text |
        while read -r address association; do
            # The NAT gateway's came free with it.
            case $association in
            eipassoc-*) aws ec2 disassociate-address --association-id "$association" || true ;;
            esac
            aws ec2 release-address --allocation-id "$address"
        done
}

# A link to a file of the bucket, for half a day, or as long as your credentials live: release payctl-….tar.gz
# By the region's own name, whose addresses are those of the S3 endpoint.
release() {
    aws s3 presign "s3://$BUCKET/releases/$1" --expires-in 43200 --endpoint-url "https://s3.$AWS_REGION.amazonaws.com"
}

# Where a start script fetches a file of releases/: by a link, or with BY_ROLE by the instance's own role.
source_of() {
    if [ -n "${BY_ROLE:-}" ]; then echo "s3://$BUCKET/releases/$1"; else release "$1"; fi
}

# What an instance runs as root at its first start: fetches a program, checks it, installs it.
# install_script PROGRAM VERSION [CA]; with CA also the certificates of RDS, to /etc/fintech/rds-global-bundle.pem.
install_script() {
    local archive=$1-$2-$ARCH.tar.gz sum link certificates=
    sum=$(awk -v file="$archive" '$2 == file { print $1 }' "$DIST/SHA256SUMS")
    [ -n "$sum" ] || { echo "no $archive in $DIST/SHA256SUMS" >&2; return 1; }
    link=$(source_of "$archive") || return
    [ "${3:-}" != CA ] || certificates=$(source_of rds-global-bundle.pem) || return
    cat <<SCRIPT
#!/bin/bash
set -euo pipefail
install -d -m 755 /etc/fintech
cd "\$(mktemp -d)"
fetch() {
    case \$2 in
    s3://*) until aws s3 cp --only-show-errors --region $AWS_REGION "\$2" "\$1"; do sleep 5; done ;;
    *) curl -sSf --connect-timeout 10 --retry 100 --retry-delay 5 --retry-all-errors -o "\$1" "\$2" ;;
    esac
}
fetch program.tar.gz '$link'
echo '$sum  program.tar.gz' | sha256sum --check
tar -xzf program.tar.gz --strip-components 1
install -m 755 $1 /usr/local/bin/
SCRIPT
    [ -z "$certificates" ] || cat <<SCRIPT
fetch rds-global-bundle.pem '$certificates'
install -m 644 rds-global-bundle.pem /etc/fintech/
SCRIPT
}

# What payctl on the operator must be told, to be pasted into its shell: operator_environment [DB_HOST]
operator_environment() {
    echo "export AWS_REGION=$AWS_REGION LOG_BUCKET=$BUCKET DEAD_LETTER_QUEUE_URL=${DEAD_LETTER_QUEUE_URL:-}"
    echo "export DB_HOST=${1:-$DB_HOST} DB_CA_BUNDLE=/etc/fintech/rds-global-bundle.pem"
}

# The rest of it for a tier: environment and unit, and the start. ENVIRONMENT is the lines of its file.
# start_script PROGRAM ENVIRONMENT
start_script() {
    tls_script "$1"
    cat <<SCRIPT
cat >/etc/fintech/$1.env <<'ENVIRONMENT'
$2
ENVIRONMENT
chmod 600 /etc/fintech/$1.env
install -m 644 $1.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now $1
SCRIPT
}

# With INSIDE=HTTPS a tier shows a certificate of its own making: an ALB takes any (tls-inside.md). systemd hands both files
# to the service's user, which exists only while it runs.
tls_script() {
    [ "$INSIDE" = HTTPS ] || return 0
    cat <<SCRIPT
(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 -subj /CN=$1 \\
    -keyout /etc/fintech/tls-key.pem -out /etc/fintech/tls-cert.pem)
install -d /etc/systemd/system/$1.service.d
cat >/etc/systemd/system/$1.service.d/tls.conf <<'UNIT'
[Service]
LoadCredential=cert.pem:/etc/fintech/tls-cert.pem
LoadCredential=key.pem:/etc/fintech/tls-key.pem
Environment=TLS_CERT_FILE=%d/cert.pem TLS_KEY_FILE=%d/key.pem
UNIT
SCRIPT
}

# Whom the web tier trusts, where that is a CA of your own (tls-inside.md).
ca_script() {
    [ -n "${INSIDE_CA:-}" ] || return 0
    echo "cat >/etc/fintech/app-tier-ca.pem <<'CA'"
    cat "$INSIDE_CA" || return
    echo CA
}

# The start of an instance of each tier, with a version: app_script 0.1.0
app_script() {
    : "${BUCKET:?} ${DB_HOST:?page 5 keeps it}"
    install_script app-tier "$1" CA || return
    start_script app-tier "AWS_REGION=$AWS_REGION
LOG_BUCKET=$BUCKET
DB_HOST=$DB_HOST
$READER_LOGIN
DB_CA_BUNDLE=/etc/fintech/rds-global-bundle.pem"
}

web_script() {
    : "${APP_TIER_URL:?page 7 keeps it}"
    install_script web-tier "$1" || return
    ca_script || return
    start_script web-tier "APP_TIER_URL=$APP_TIER_URL${INSIDE_CA:+
APP_TIER_CA_FILE=/etc/fintech/app-tier-ca.pem}"
}

# The same for a template, which outlives every link: app_template 0.1.0
app_template() { BY_ROLE=yes app_script "$1"; }
web_template() { BY_ROLE=yes web_script "$1"; }

# An instance of Amazon Linux 2023, encrypted disk, metadata by IMDSv2 alone: launch NAME SUBNET GROUP ROLE SCRIPT
launch() {
    local image
    [ -n "$5" ] || { echo "launch $1: there is no script" >&2; return 1; }
    image=$(aws ssm get-parameter --query Parameter.Value --output text \
        --name "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${ARCH/aarch64/arm64}") || return
    aws ec2 run-instances --image-id "$image" --instance-type "$INSTANCE_TYPE" --subnet-id "$2" \
        --security-group-ids "$3" --iam-instance-profile "Name=$4" --user-data "$5" \
        --metadata-options HttpTokens=required,HttpPutResponseHopLimit=1 \
        --block-device-mappings 'DeviceName=/dev/xvda,Ebs={Encrypted=true,VolumeType=gp3,VolumeSize=8,DeleteOnTermination=true}' \
        --tag-specifications "$(named instance "$1")" --query 'Instances[0].InstanceId' --output text
}

# healthy, initial, unhealthy, draining, unused: target_state GROUP INSTANCE
target_state() {
    aws elbv2 describe-target-health --target-group-arn "$1" --targets "Id=$2" --output text \
        --query 'TargetHealthDescriptions[0].TargetHealth.State'
}

# An alarm that tells the topic of page 10: alarm NAME --namespace … --metric-name … --threshold …
alarm() {
    aws cloudwatch put-metric-alarm --alarm-name "$1" --alarm-actions "$ALERTS" --treat-missing-data notBreaching \
        --comparison-operator GreaterThanOrEqualToThreshold "${@:2}"
}

# The alarms of one instance, in place of those of the instance that had the name before: instance_alarms web-a "$WEB_A"
instance_alarms() {
    alarm "payment-$1-status" --namespace AWS/EC2 --metric-name StatusCheckFailed --dimensions "Name=InstanceId,Value=$2" \
        --statistic Maximum --period 60 --evaluation-periods 3 --threshold 1
    alarm "payment-$1-credits" --namespace AWS/EC2 --metric-name CPUCreditBalance --dimensions "Name=InstanceId,Value=$2" \
        --comparison-operator LessThanThreshold --statistic Minimum --period 300 --evaluation-periods 3 --threshold 10
}

# Whom the bucket tells of a new object under transactions/: notify LambdaFunction|Queue ARN
notify() {
    local kind=$1Configurations target=$1Arn
    aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration \
        "$(printf '{"%s": [{"Id": "ingest", "%s": "%s", "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "transactions/"}]}}}]}' "$kind" "$target" "$2")"
}

# A listener that forwards all: listener BALANCER PORT TARGET_GROUP --protocol …
listener() {
    aws elbv2 create-listener --load-balancer-arn "$1" --port "$2" --default-actions "Type=forward,TargetGroupArn=$3" \
        --query 'Listeners[0].ListenerArn' --output text "${@:4}" >/dev/null
}
