//! The limit of callers without a key, by the address that the load balancer saw.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::HeaderMap;
use http::header::HeaderName;

use super::caller;
use super::denied::Denied;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What callers are told apart by. Those of whom the load balancer says nothing share one limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(Option<IpAddr>);

/// Addresses that came lately. Each is forgotten once its burst is whole again, so that their number is bounded by the
/// requests of a few seconds.
#[derive(Debug)]
pub struct Addresses {
    limiter: DefaultKeyedRateLimiter<Address>,
    clock: DefaultClock,
    quota: Quota,
}

impl Addresses {
    /// So many requests per second, and as many at once.
    pub fn new(rate: NonZeroU32) -> Self {
        let quota = Quota::per_second(rate);
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            quota,
        }
    }

    pub fn check(&self, headers: &HeaderMap) -> Result<Address, Denied> {
        let address = Address(address(headers));
        self.check_more(&address, NonZeroU32::MIN)?;
        Ok(address)
    }

    /// Counts so many requests of an address at once.
    pub fn check_more(&self, address: &Address, requests: NonZeroU32) -> Result<(), Denied> {
        let now = || self.clock.now();
        let checked = self.limiter.check_key_n(address, requests);
        caller::limited(checked, self.quota, now)
    }

    /// The largest batch that the limit ever lets in.
    pub fn batch_max(&self) -> NonZeroU32 {
        self.quota.burst_size()
    }

    /// Forgets those that are whole again.
    pub fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// The last hop of X-Forwarded-For. The load balancer adds it; whatever stands before may be the client's invention.
fn address(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(X_FORWARDED_FOR).iter().next_back()?;
    let hop = last.to_str().ok()?.rsplit(',').next()?.trim();
    let address = hop.parse().ok();
    let address = address.or_else(|| hop.parse().ok().map(|address: SocketAddr| address.ip()))?;
    Some(match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(network(address)),
        address @ IpAddr::V4(_) => address,
    })
}

/// A /64 is one customer's, who may take any address of it.
fn network(address: Ipv6Addr) -> Ipv6Addr {
    let [a, b, c, d, ..] = address.segments();
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn p10_only_the_last_hop_counts_however_many_are_forged() {
        let seen = |values: &[&str]| address(&headers(values)).map(|address| address.to_string());
        for values in [
            &["203.0.113.7"][..],
            &["198.51.100.1, 203.0.113.7"],
            &["198.51.100.1", "203.0.113.7"],
            &["203.0.113.7, 1.1.1.1", "x,203.0.113.7:5678"],
            &["::ffff:203.0.113.7"],
        ] {
            assert_eq!(seen(values).as_deref(), Some("203.0.113.7"), "{values:?}");
        }
        for one in ["2001:db8:1:2::1", "[2001:db8:1:2:ffff::]:80"] {
            assert_eq!(seen(&[one]).as_deref(), Some("2001:db8:1:2::"), "{one}");
        }
        for none in [&[][..], &[""], &["unknown"], &["203.0.113.7,"]] {
            assert_eq!(seen(none), None, "{none:?}");
        }
    }

    #[test]
    fn p10_an_address_is_limited_alone_and_forgotten_later() {
        let addresses = Addresses::new(NonZeroU32::new(1_000).unwrap());
        let one = headers(&["203.0.113.7"]);
        while addresses.check(&one).is_ok() {}
        assert!(addresses.check(&headers(&["203.0.113.8"])).is_ok());
        assert_eq!(addresses.len(), 2);
        while addresses.len() > 0 {
            std::thread::yield_now();
            addresses.forget();
        }
        assert!(addresses.check(&one).is_ok());
    }
}
