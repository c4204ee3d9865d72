//! The bundle of certificates that the database is trusted by.

use std::path::Path;
use std::time::{Duration, SystemTime};

use x509_parser::pem::Pem;

use crate::doctor::Findings;
use crate::text_file;

/// That of RDS with all regions has 160 KB.
const BYTES_MAX: u64 = 8 << 20;

/// AWS adds authorities every few years.
const AGE_MAX: Duration = Duration::from_hours(2 * 365 * 24);

/// Time to fetch a new one.
const NOTICE_SECONDS: i64 = 90 * 24 * 3600;

pub fn check(bundle: &Path, now: SystemTime, findings: &mut Findings) {
    let path = bundle.display();
    let mend = format!(
        "curl -sSf -o {path} https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
    );
    let content = match text_file::read(bundle, BYTES_MAX) {
        Ok(content) => content,
        Err(error) => {
            findings
                .error(
                    "ca-bundle-missing",
                    format!("{path} can't be read: {error}"),
                )
                .causes("no program logs in to the database")
                .why("DB_CA_BUNDLE names the certificates that it is trusted by")
                .mend(mend);
            return;
        }
    };
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        });
    // Of a bundle, some may have ended; it is of use while one has not.
    let last = Pem::iter_from_buffer(content.as_bytes())
        .filter_map(Result::ok)
        .filter_map(|pem| Some(pem.parse_x509().ok()?.validity().not_after.timestamp()))
        .max();
    match last {
        None => findings
            .error("ca-bundle-missing", format!("{path} holds no certificate"))
            .causes("no program logs in to the database")
            .why("DB_CA_BUNDLE names the certificates that it is trusted by, in PEM")
            .mend(mend),
        Some(last) if last < seconds => findings
            .error(
                "ca-bundle-expired",
                format!("every certificate of {path} has expired"),
            )
            .causes("no program logs in to the database: its certificate is not trusted")
            .why("a certificate is trusted up to a date alone")
            .mend(mend),
        Some(last) if last < seconds + NOTICE_SECONDS => findings
            .warning(
                "ca-bundle-expires",
                format!("the last certificate of {path} expires within 90 days"),
            )
            .causes("from then on no program logs in to the database")
            .why("a certificate is trusted up to a date alone")
            .mend(mend),
        Some(_) if is_old(bundle, now) => findings
            .warning(
                "ca-bundle-old",
                format!("{path} is more than two years old"),
            )
            .causes(
                "the database is not trusted once AWS gives it a certificate of a newer authority",
            )
            .why("AWS adds authorities to the bundle every few years")
            .mend(mend),
        Some(_) => {}
    }
}

fn is_old(bundle: &Path, now: SystemTime) -> bool {
    let modified = std::fs::metadata(bundle).and_then(|about| about.modified());
    modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > AGE_MAX))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    use super::*;

    /// One that is good until the first of January of that year.
    fn certificate(until: i32) -> String {
        let mut params = CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap()
            .pem()
    }

    fn found(content: &str, days_later: u64) -> Vec<&'static str> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("bundle.pem");
        fs::write(&path, content).unwrap();
        let mut findings = Findings::default();
        let now = SystemTime::now() + Duration::from_hours(days_later * 24);
        check(&path, now, &mut findings);
        findings.found.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_bundle_is_good_while_one_certificate_is_and_the_file_is_young() {
        assert!(found(&(certificate(2021) + &certificate(2099)), 0).is_empty());
        assert_eq!(found(&certificate(2099), 800), ["ca-bundle-old"]);
        assert_eq!(found(&certificate(2021), 0), ["ca-bundle-expired"]);
        assert_eq!(found("no certificate", 0), ["ca-bundle-missing"]);
    }

    #[test]
    fn a_bundle_that_is_not_there_or_about_to_end_is_told() {
        let mut findings = Findings::default();
        check(
            Path::new("/nowhere/bundle.pem"),
            SystemTime::now(),
            &mut findings,
        );
        assert_eq!(findings.found[0].code, "ca-bundle-missing");
        // Of a year that lies ahead, seen a month before its first day.
        let until = time::OffsetDateTime::now_utc().year() + 2;
        let first = time::Date::from_calendar_date(until, time::Month::January, 1).unwrap();
        let left = first - time::OffsetDateTime::now_utc().date() - time::Duration::days(30);
        let days = u64::try_from(left.whole_days()).unwrap();
        assert_eq!(found(&certificate(until), days), ["ca-bundle-expires"]);
    }
}
