//! One client while it calls: its limits, and what is counted of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clients::{Client, Limits};
use governor::clock::{Clock as _, DefaultClock, Reference};
use governor::{DefaultDirectRateLimiter, InsufficientCapacity, NotUntil, Quota, RateLimiter};
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

/// The place of a request's payments among those of its client that may be in flight.
#[derive(Debug)]
pub struct InFlight {
    count: Arc<AtomicU32>,
    payments: u32,
}

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
        let mut in_flight = pays.then(|| InFlight {
            count: Arc::clone(&self.in_flight),
            payments: 0,
        });
        self.check_more(in_flight.as_mut(), NonZeroU32::MIN)?;
        Ok(in_flight)
    }

    /// Counts so many payments more of a request.
    pub fn check_more(
        &self,
        in_flight: Option<&mut InFlight>,
        payments: NonZeroU32,
    ) -> Result<(), Denied> {
        let within = || {
            if let Some(rate) = &self.rate {
                rate.check(payments)?;
            }
            match (in_flight, self.limits.in_flight) {
                (Some(in_flight), Some(max)) => in_flight.take(payments, max),
                _ => Ok(()),
            }
        };
        within().inspect_err(|_| _ = self.limited.inc())
    }

    /// The largest batch that the limits ever let in.
    pub fn batch_max(&self) -> Option<NonZeroU32> {
        let burst = self.rate.as_ref().map(|rate| rate.quota.burst_size());
        burst.into_iter().chain(self.limits.in_flight).min()
    }
}

fn quota(limits: &Limits) -> Option<Quota> {
    let rate = limits.rate?;
    Some(Quota::per_second(rate).allow_burst(limits.burst.unwrap_or(rate)))
}

impl InFlight {
    fn take(&mut self, payments: NonZeroU32, max: NonZeroU32) -> Result<(), Denied> {
        let more = |count: u32| {
            let count = count.saturating_add(payments.get());
            (count <= max.get()).then_some(count)
        };
        self.count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map_err(|_| Denied::Limited(Limit::InFlight(max)))?;
        self.payments += payments.get();
        Ok(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.fetch_sub(self.payments, Ordering::AcqRel);
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

    fn check(&self, requests: NonZeroU32) -> Result<(), Denied> {
        let now = || self.clock.now();
        limited(self.limiter.check_n(requests), self.quota, now)
    }
}

/// What a limiter says, as the caller is told it.
pub fn limited<P: Reference>(
    checked: Result<Result<(), NotUntil<P>>, InsufficientCapacity>,
    quota: Quota,
    now: impl FnOnce() -> P,
) -> Result<(), Denied> {
    match checked {
        Ok(Ok(())) => Ok(()),
        Ok(Err(until)) => Err(Denied::Limited(Limit::Rate {
            quota,
            wait: until.wait_time_from(now()),
        })),
        Err(_) => Err(Denied::BatchTooLarge(quota.burst_size())),
    }
}

/// Whole seconds, and at least one: `Retry-After: 0` would be no pause.
pub fn seconds(time: Duration) -> u32 {
    let seconds = time.as_millis().div_ceil(1000);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}
