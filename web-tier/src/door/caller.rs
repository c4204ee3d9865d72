//! One client while it calls: its limits, and what is counted of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clients::{Client, Limits};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::HeaderValue;
use payment_core::ClientName;
use prometheus_client::metrics::counter::Counter;

use super::denied::{Denied, Limit};

#[derive(Debug)]
pub struct Caller {
    name: ClientName,
    header: HeaderValue,
    limits: Limits,
    rate: Option<Arc<Rate>>,
    /// Payments in flight. It outlives a change of the limits.
    in_flight: Arc<AtomicU32>,
    requests: Counter,
    limited: Counter,
}

/// One payment's place among those of its client that may be in flight.
#[derive(Debug)]
pub struct InFlight(Arc<AtomicU32>);

/// Requests per second, with a burst.
#[derive(Debug)]
pub struct Rate {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
    quota: Quota,
}

impl Caller {
    /// `before` is the same client, as it was in the file until now: what it has used up stays used up.
    pub fn new(
        client: &Client,
        before: Option<&Self>,
        requests: Counter,
        limited: Counter,
    ) -> Self {
        let Client { name, limits, .. } = client;
        let same = before.filter(|before| {
            (before.limits.rate, before.limits.burst) == (limits.rate, limits.burst)
        });
        let rate = match same {
            Some(before) => before.rate.clone(),
            None => quota(limits).map(|quota| Arc::new(Rate::new(quota))),
        };
        Self {
            name: name.clone(),
            // A name has no character that a header can't hold.
            header: HeaderValue::from_str(name.as_str())
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            limits: *limits,
            rate,
            in_flight: before
                .map(|before| Arc::clone(&before.in_flight))
                .unwrap_or_default(),
            requests,
            limited,
        }
    }

    pub fn name(&self) -> &ClientName {
        &self.name
    }

    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// Counts a request, and refuses one that is over a limit. The place of a payment is given back as it is dropped.
    pub fn check_limits(&self, pays: bool) -> Result<Option<InFlight>, Denied> {
        self.requests.inc();
        let limited = |limit| {
            self.limited.inc();
            Denied::Limited(limit)
        };
        if let Some(rate) = &self.rate {
            rate.check().map_err(limited)?;
        }
        match self.limits.in_flight.filter(|_| pays) {
            None => Ok(None),
            Some(max) => InFlight::take(&self.in_flight, max)
                .map(Some)
                .map_err(limited),
        }
    }
}

fn quota(limits: &Limits) -> Option<Quota> {
    let rate = limits.rate?;
    Some(Quota::per_second(rate).allow_burst(limits.burst.unwrap_or(rate)))
}

impl InFlight {
    fn take(count: &Arc<AtomicU32>, max: NonZeroU32) -> Result<Self, Limit> {
        let more = |count: u32| (count < max.get()).then(|| count + 1);
        match count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => Ok(Self(Arc::clone(count))),
            Err(_) => Err(Limit::InFlight(max)),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Rate {
    fn new(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::direct(quota),
            clock: DefaultClock::default(),
            quota,
        }
    }

    fn check(&self) -> Result<(), Limit> {
        self.limiter.check().map_err(|until| Limit::Rate {
            quota: self.quota,
            wait: until.wait_time_from(self.clock.now()),
        })
    }
}

/// Whole seconds, and at least one: `Retry-After: 0` would be no pause.
pub fn seconds(time: Duration) -> u32 {
    let seconds = time.as_millis().div_ceil(1000);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}
