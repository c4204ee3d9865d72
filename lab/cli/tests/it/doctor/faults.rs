//! Faults, as commands for the shell of the notes, which has its functions and ids.

mod account;
mod balancers;
mod journal;
mod network;

/// Functions that the notes have inside a page, and one more fault.
pub const PRELUDE: &str = r#"
notify() {
    printf '{"%s": [{"Id": "ingest", "%s": "%s", "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "transactions/"}]}}}]}' "$@"
}
# The queue's attributes, changed by a statement of Python. All of them each time: moto forgets the policy otherwise.
queue_attributes() {
    python3 - "$(policy queue-policy.json)" "$DEAD_LETTER_ARN" "${1:-pass}" <<'PYTHON'
import json, sys
policy = json.loads(sys.argv[1])
redrive = json.dumps({"deadLetterTargetArn": sys.argv[2], "maxReceiveCount": 100})
all = {"VisibilityTimeout": "360", "RedrivePolicy": redrive}
exec(sys.argv[3])
print(json.dumps({"Policy": json.dumps(policy), **all}))
PYTHON
}
set_queue() {
    aws sqs set-queue-attributes --queue-url "$QUEUE_URL" --attributes "$(queue_attributes "$@")"
}
"#;

pub struct Fault {
    pub area: &'static str,
    pub make: &'static str,
    pub undo: &'static str,
    /// Codes of the findings, in order.
    pub found: &'static [&'static str],
}

const fn fault(
    area: &'static str,
    found: &'static [&'static str],
    make: &'static str,
    undo: &'static str,
) -> Fault {
    Fault {
        area,
        make,
        undo,
        found,
    }
}

/// All of them, area by area.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        network::FAULTS,
        balancers::FAULTS,
        journal::FAULTS,
        account::FAULTS,
    ]
    .into_iter()
    .flatten()
}
