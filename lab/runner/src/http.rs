//! The HTTP client towards parts of the lab.

use std::time::Duration;

/// Longer than the load balancer's client deadline would be, so that its answer is seen.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Goes straight to loopback, whatever proxy the shell is set to.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(2))
        .timeout(TIMEOUT)
        .build()
}
