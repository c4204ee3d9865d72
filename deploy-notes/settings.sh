# shellcheck shell=bash disable=SC2034
# The values of these notes. In bash, at the root of the clone:
#
#     . deploy-notes/settings.sh
#
# Change what is yours before the first page, and later VERSION alone (page 12). What the pages make on the way (ids,
# ARNs) is kept in the file $IDS, and is there again in a new shell.

# Where, and as whom: credentials come from the AWS CLI's own configuration.
export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=
ZONE_A=us-west-2a
ZONE_B=us-west-2b

# Names of buckets are shared by everyone on AWS, and this one is taken: append something of your own.
BUCKET=fintech-payment-pipeline
# Logs of load balancers, of the network and of calls to AWS (page 15).
TRAIL_BUCKET=$BUCKET-trail
# Who is told when something is wrong.
ALERT_EMAIL=ops@example.com
# The name that clients use, e.g. pay.example.com, whose DNS you can change; empty: no HTTPS.
DOMAIN=${DOMAIN:-}
# What the load balancers and tiers speak to each other; HTTPS takes tls-inside.md, before page 7.
INSIDE=${INSIDE:-HTTP}

# What `cargo lab dist` made: its folder, version and processor: x86_64, or aarch64 with t4g.micro.
DIST=${DIST:-target/dist}
VERSION=0.1.0
ARCH=x86_64
INSTANCE_TYPE=t3.micro
# The payctl that checks each page, which page 0 unpacks; on another system than Linux: target/release/payctl.
PAYCTL=${PAYCTL:-$DIST/payctl}
DATABASE_CLASS=db.t4g.small
# How the app tier and the function log in to the database; page 5 keeps others in place of these for logins by password.
READER_LOGIN=DB_IAM_AUTH=true
INGEST_LOGIN=DB_IAM_AUTH=true

# How long nobody may delete an object: COMPLIANCE, and what your auditors say, where it is about money (page 4).
LOCK_MODE=GOVERNANCE
LOCK_DAYS=1

# Names and addresses. The IAM policies, the lab and `payctl` know most of these, too: better leave them.
VPC_NAME=FinTechVPC
VPC_CIDR=10.0.0.0/16
PUBLIC_A_CIDR=10.0.1.0/24
PUBLIC_B_CIDR=10.0.2.0/24
PRIVATE_A_CIDR=10.0.3.0/24
PRIVATE_B_CIDR=10.0.4.0/24
DATABASE=payment-db
FUNCTION=FinTechTransactionAlert
QUEUE=payments-events
DEAD_LETTERS=FinTechTransactionAlert-dlq
APP_ROLE=EC2-S3-Access-Role
WEB_ROLE=EC2-SSM-Role
OPERATOR_ROLE=EC2-Operator-Role
FUNCTION_ROLE=Lambda-FinTech-Pipeline-Role

IDS=${IDS:-$HOME/.fintech-ids.sh}
# shellcheck source=/dev/null
[ ! -e "$IDS" ] || . "$IDS"
. deploy-notes/functions.sh
