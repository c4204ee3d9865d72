//! Queue names as ARNs and URLs.

/// The account that owns the queues.
#[derive(Debug, Clone)]
pub struct Account {
    pub region: String,
    /// Twelve digits.
    pub id: String,
}

impl Account {
    /// Returns `arn:aws:sqs:region:account:name`.
    pub fn arn(&self, queue: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{queue}", self.region, self.id)
    }

    /// Returns the queue name of an ARN of this account.
    pub fn queue_of_arn<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let rest = arn.strip_prefix("arn:aws:sqs:")?;
        let rest = rest.strip_prefix(&self.region)?.strip_prefix(':')?;
        rest.strip_prefix(&self.id)?.strip_prefix(':')
    }

    /// Returns the queue's URL under the `host` that the caller used, so that the caller can reach it.
    pub fn url(&self, host: &str, queue: &str) -> String {
        format!("http://{host}/{}/{queue}", self.id)
    }

    /// Returns the queue name of a URL of this account. The host is ignored, because callers may come through a proxy.
    pub fn queue_of_url<'a>(&self, url: &'a str) -> Option<&'a str> {
        let (rest, queue) = url.rsplit_once('/')?;
        rest.ends_with(&format!("/{}", self.id)).then_some(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_by_what_names_it() {
        let account = Account {
            region: "us-west-2".into(),
            id: "000000000000".into(),
        };
        assert_eq!(account.queue_of_arn(&account.arn("q")), Some("q"));
        assert_eq!(account.queue_of_url(&account.url("h:1", "q")), Some("q"));
        for (arn, url) in [
            (
                "arn:aws:sqs:eu-west-1:000000000000:q",
                "http://h/111111111111/q",
            ),
            ("arn:aws:sns:us-west-2:000000000000:q", "q"),
            ("q", ""),
        ] {
            assert_eq!(account.queue_of_arn(arn), None);
            assert_eq!(account.queue_of_url(url), None);
        }
    }
}
