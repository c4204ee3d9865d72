//! Reads the file of clients again when it changes, or at SIGHUP.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clients::load::{Stamp, stamp};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::Door;
use super::in_force::InForce;

/// How often it is looked whether the file has changed.
const LOOK: Duration = Duration::from_secs(1);

/// Ends when it is dropped.
#[derive(Debug)]
pub struct Watch(JoinHandle<()>);

impl Watch {
    /// Also where there is no file: a SIGHUP would otherwise end the program.
    pub fn start(door: Arc<Door>) -> io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self(tokio::spawn(watch(door, hangup))))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The file as it was when it was last read or refused. `None` if it was not there.
type Seen = Option<Stamp>;

async fn watch(door: Arc<Door>, mut hangup: Signal) {
    let mut seen: Seen = door.clients.as_ref().map(InForce::first_stamp);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_asked = tokio::select! {
            _ = look.tick() => false,
            _ = hangup.recv() => true,
        };
        let door = Arc::clone(&door);
        // A file system may be slow; a request must not wait for it.
        let looked = spawn_blocking(move || door.look(seen, is_asked)).await;
        seen = looked.unwrap_or(seen);
    }
}

impl Door {
    fn look(&self, seen: Seen, is_asked: bool) -> Seen {
        if let Some(addresses) = &self.addresses {
            addresses.forget();
        }
        let clients = self.clients.as_ref()?;
        let now = stamp(clients.path()).ok();
        if now == seen && !is_asked {
            return seen;
        }
        clients.reload().map_or_else(
            |error| {
                tell(clients.path(), &error.lines());
                now
            },
            Some,
        )
    }
}

fn tell(path: &Path, mistakes: &[String]) {
    let file = path.display();
    let error = mistakes.join("; ");
    tracing::error!(%file, error, "the file of clients is broken: the clients of before stay in force");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clients::bearer::{KeyHash, new_key};
    use clients::load::load;
    use clients::signature::Message;
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, Method, Uri};
    use http_service::metrics::Metrics;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::config::ClientsFile;

    /// Runs on a stopped clock, which waits for no file: what is measured are the pauses of the watch alone.
    #[tokio::test(start_paused = true)]
    async fn p10_a_revoked_key_is_refused_within_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        let key = new_key().unwrap();
        let shop = format!(
            "[[clients.shop.keys]]\nid = \"k\"\nsha256 = \"{}\"\ncreated = 2026-01-01T00:00:00Z\n",
            KeyHash::of(&key)
        );
        fs::write(&path, shop).unwrap();
        let (registry, stamp) = load(&path).unwrap();
        let file = ClientsFile {
            path: path.clone(),
            registry,
            stamp,
        };
        let door = Arc::new(Door::new(Some(file), None, &mut Metrics::default()));
        let _watch = Watch::start(Arc::clone(&door)).unwrap();
        let authorization = format!("Bearer {key}").parse().unwrap();
        let message = Message {
            method: &Method::GET,
            uri: &Uri::from_static("/pay/a"),
            headers: &HeaderMap::from_iter([(AUTHORIZATION, authorization)]),
        };
        let clients = door.clients.as_ref().unwrap();

        sleep(LOOK * 5 / 2).await;
        assert!(clients.authenticate(&message).is_some());
        fs::write(&path, "").unwrap();
        let changed = Instant::now();
        while clients.authenticate(&message).is_some() {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(changed.elapsed() <= Duration::from_secs(2));
    }
}
