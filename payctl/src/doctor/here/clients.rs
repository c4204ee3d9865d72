//! Who may pay here: whether intake is open, and how the file of clients stands.

use std::path::Path;

use ::clients::load::load;
use ::clients::{Client, Key, Limits, PAGE};
use http::{Request, StatusCode};
use payment_core::Timestamp;
use time::Duration;

use crate::doctor::Findings;
use crate::pay_client::Address;

/// Keys that are older should have been rotated.
const AGE_MAX: Duration = Duration::days(365);

/// An id that no payment has; nothing is paid by asking for it.
const PROBE: &str = "/pay/doctor-probe";

/// Asks the front door without a credential.
pub async fn front(address: &Address, findings: &mut Findings) {
    let mut probe = address.url.clone();
    probe.set_path(PROBE);
    let answer = super::call(&address.roots, Request::get(probe.as_str())).await;
    // No answer, or a stranger's, is the front door's own finding.
    let Ok(answer) = answer else { return };
    if answer.is_not_found() {
        findings.advice("open-intake", "the front door answers whoever has no credential")
        .causes("whoever reaches it may pay, may take an id before its owner does, and can use up everybody's capacity")
        .why("the web tier has no CLIENTS_FILE; that is right for a lab, or behind something that knows its callers")
        .mend("payctl client add NAME --file clients.toml, then CLIENTS_FILE in the web tier's environment file");
    } else if !(answer.status == StatusCode::UNAUTHORIZED && answer.is_refusal()) {
        findings.note(format!(
            "whether intake is open is not known: {probe} answers {}, and not as the web tier does",
            answer.status
        ));
    }
}

pub fn file(path: &Path, now: Timestamp, findings: &mut Findings) {
    match load(path) {
        Err(error) => broken(path, &error.lines().join("; "), findings),
        Ok((registry, _)) => {
            for client in registry.clients() {
                check(client, now, findings);
            }
        }
    }
}

fn broken(path: &Path, mistakes: &str, findings: &mut Findings) {
    findings.error("clients-file", format!("{} is broken: {mistakes}", path.display()))
        .causes("a web tier that runs keeps the clients of before, revoked keys among them; one that starts ends with 64")
        .why("it was changed by hand, or its mode was")
        .mend("correct each line that is named");
}

fn check(client: &Client, now: Timestamp, findings: &mut Findings) {
    if client.limits == Limits::default() {
        unlimited(client, findings);
    }
    for key in &client.keys {
        let age = now.to_utc() - key.created.to_utc();
        if key.is_good_at(now) && age > AGE_MAX {
            old(client, key, age, findings);
        }
    }
}

fn unlimited(client: &Client, findings: &mut Findings) {
    let name = &client.name;
    let what = match name.as_str() {
        PAGE => "the pay page, which everybody is who has no key, has no limits".to_owned(),
        name => format!("client {name} has no limits"),
    };
    findings
        .warning("client-without-limits", what)
        .causes("one client that sends too much takes capacity from all others")
        .why("neither rate nor in_flight is set for it")
        .mend(format!(
            "set rate, and perhaps burst and in_flight, under [clients.{name}]"
        ));
}

fn old(client: &Client, key: &Key, age: Duration, findings: &mut Findings) {
    let (name, id) = (&client.name, &key.id);
    let days = age.whole_days();
    findings.warning("client-key-old", format!("key {id} of client {name} is {days} days old"))
        .causes("a key that leaked long ago is still good")
        .why("it was never rotated")
        .mend(format!("payctl client rotate {name}, and payctl client revoke {name} {id} once the new key is in use"));
}

#[cfg(test)]
mod tests {
    use ::clients::file::parse;

    use super::*;

    #[test]
    fn p10_old_keys_and_clients_without_limits_are_found_and_new_ones_are_not() {
        let file = "[clients.a]\nrate = 1\n[[clients.a.keys]]\nid = \"old\"\ncreated = 2025-01-01T00:00:00Z\n\
                    ed25519 = \"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\"\n\
                    [[clients.a.keys]]\nid = \"new\"\ncreated = 2026-11-01T00:00:00Z\n\
                    ed25519 = \"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\"\n\
                    [[clients.a.keys]]\nid = \"over\"\ncreated = 2025-01-01T00:00:00Z\nexpires = 2026-01-01T00:00:00Z\n\
                    ed25519 = \"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\"\n\
                    [clients.b]\n[clients.page]\n";
        let now = Timestamp::parse("2026-11-27T00:00:00Z").unwrap();
        let mut findings = Findings::default();
        for client in &parse(file).unwrap() {
            check(client, now, &mut findings);
        }
        let found: Vec<_> = findings
            .found
            .iter()
            .map(|found| (found.code, &*found.what))
            .collect();
        let [old, b, page] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            *old,
            ("client-key-old", "key old of client a is 695 days old")
        );
        assert_eq!(*b, ("client-without-limits", "client b has no limits"));
        assert!(page.1.contains("the pay page"), "{page:?}");
    }
}
