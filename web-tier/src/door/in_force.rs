//! The clients in force: those of the last file that could be read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use clients::load::{LoadError, Stamp};
use clients::signature::Message;
use clients::{Registry, load};
use http_service::metrics::{Labelled, Metrics};
use payment_core::{ClientName, Timestamp};
use prometheus_client::metrics::counter::Counter;
use time::OffsetDateTime;

use super::caller::Caller;
use crate::config::ClientsFile;

#[derive(Debug)]
pub struct InForce {
    path: PathBuf,
    /// As it was at the start.
    stamp: Stamp,
    current: ArcSwap<Callers>,
    counters: Counters,
    /// Since when the file is not the one in force, since it is broken.
    stale: Arc<Mutex<Option<Instant>>>,
}

/// A registry, with each client's limits in the place of the client.
#[derive(Debug)]
struct Callers {
    registry: Registry,
    all: Vec<Arc<Caller>>,
    page: Option<Arc<Caller>>,
}

#[derive(Debug)]
struct Counters {
    requests: Labelled,
    limited: Labelled,
    reload_failures: Counter,
}

impl InForce {
    /// The metrics are there also where intake is open.
    pub fn register(file: Option<ClientsFile>, metrics: &mut Metrics) -> Option<Self> {
        let label = "client";
        let reload_failures = Counter::default();
        let help = "Times that the file of clients had changed and was refused.";
        metrics.count("clients_reload_failures", help, &reload_failures);
        let stale = Arc::new(Mutex::new(None));
        let since = Arc::clone(&stale);
        let help = "Seconds for which the file of clients has been broken and an older one is in force, else 0.";
        metrics.show("clients_stale_seconds", help, move || {
            let since: Option<Instant> = *lock(&since);
            let seconds = since.map_or(0, |since| since.elapsed().as_secs());
            usize::try_from(seconds).unwrap_or(usize::MAX)
        });
        let help = "Requests with a valid credential, by client.";
        let requests = metrics.count_by("client_requests", help, label);
        let help = "Those of them that were over a limit, by client.";
        let limited = metrics.count_by("client_limited", help, label);
        let counters = Counters {
            requests,
            limited,
            reload_failures,
        };
        let ClientsFile {
            path,
            registry,
            stamp,
        } = file?;
        let callers = Callers::new(registry, None, &counters);
        Some(Self {
            path,
            stamp,
            current: ArcSwap::from_pointee(callers),
            counters,
            stale,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it was at the start.
    pub fn first_stamp(&self) -> Stamp {
        self.stamp
    }

    /// The client of a request's credential, whatever its limits are.
    pub fn authenticate(&self, message: &Message<'_>) -> Option<Arc<Caller>> {
        let callers = self.current.load();
        let now = Timestamp::new(OffsetDateTime::now_utc());
        let client = callers.registry.authenticate(message, now)?;
        callers.all.get(client).cloned()
    }

    pub fn page(&self) -> Option<Arc<Caller>> {
        self.current.load().page.clone()
    }

    /// Reads the file, which has changed; a broken one leaves everything as it is. It blocks.
    pub fn reload(&self) -> Result<Stamp, LoadError> {
        match load::load(&self.path) {
            Ok((registry, stamp)) => {
                let before = self.current.load();
                let callers = Callers::new(registry, Some(&before), &self.counters);
                tracing::info!(
                    clients = callers.all.len(),
                    "the file of clients was read again"
                );
                self.current.store(Arc::new(callers));
                *lock(&self.stale) = None;
                Ok(stamp)
            }
            Err(error) => {
                self.counters.reload_failures.inc();
                lock(&self.stale).get_or_insert_with(Instant::now);
                Err(error)
            }
        }
    }
}

impl Callers {
    fn new(registry: Registry, before: Option<&Self>, counters: &Counters) -> Self {
        let before = before.map(|before| before.all.iter());
        let before: HashMap<&ClientName, &Caller> = before
            .into_iter()
            .flatten()
            .map(|caller| (caller.name(), &**caller))
            .collect();
        let caller = |client: &clients::Client| {
            let name = client.name.as_str();
            let (requests, limited) = (
                counters.requests.counter(name),
                counters.limited.counter(name),
            );
            let before = before.get(&client.name).copied();
            Arc::new(Caller::new(client, before, requests, limited))
        };
        let all: Vec<_> = registry.clients().iter().map(caller).collect();
        let page = registry.page().and_then(|page| all.get(page).cloned());
        Self {
            registry,
            all,
            page,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
