//! A failover of the database, as a connection sees it: the server of an open connection was the writer, and is
//! read-only from now on. Connections opened later reach the new writer.

use std::sync::atomic::{AtomicBool, Ordering};

use server_kit::fault::Faults;

use super::commit;

/// `COM_QUERY` with a ROLLBACK: what the old writer gets instead of a COMMIT.
const ROLLBACK: &[u8] = b"\x09\x00\x00\x00\x03ROLLBACK";

/// `ER_OPTION_PREVENTS_STATEMENT`.
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html>
const READ_ONLY: (u16, &[u8]) = (
    1290,
    b"#HY000The server is running with the --read-only option so it cannot execute this statement",
);

/// One connection.
#[derive(Debug)]
pub(super) struct Failover<'a> {
    faults: &'a Faults,
    name: &'a str,
    /// Whether the connection was opened after the current failover started.
    reaches_new_writer: AtomicBool,
    /// Set for the rest of the connection's life.
    is_read_only: AtomicBool,
    /// Whether the server's next answer is the one to a ROLLBACK.
    refuses: AtomicBool,
}

impl<'a> Failover<'a> {
    /// Tracks a connection opened now. `name` is the fault's.
    pub fn of(faults: &'a Faults, name: &'a str) -> Self {
        Self {
            faults,
            name,
            reaches_new_writer: AtomicBool::new(faults.is_on(name)),
            is_read_only: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
        }
    }

    /// Returns what to send to the server instead of these bytes, if anything.
    pub fn replace_sent(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let before = commit::before(bytes)?;
        if !self.faults.is_on(self.name) {
            self.reaches_new_writer.store(false, Ordering::Relaxed);
        } else if !self.reaches_new_writer.load(Ordering::Relaxed)
            && self.faults.inject(self.name).is_some()
        {
            self.is_read_only.store(true, Ordering::Relaxed);
        }
        if !self.is_read_only.load(Ordering::Relaxed) {
            return None;
        }
        self.refuses.store(true, Ordering::Relaxed);
        Some([before, ROLLBACK].concat())
    }

    /// Returns what to send to the client instead of the server's answer, if anything.
    pub fn replace_answer(&self) -> Option<Vec<u8>> {
        let refuses = self.refuses.swap(false, Ordering::Relaxed);
        refuses.then(|| {
            let (number, text) = READ_ONLY;
            let body = [&[0xff], &number.to_le_bytes()[..], text].concat();
            let length = u32::try_from(body.len()).unwrap_or_default().to_le_bytes();
            [&length[..3], &[1], &body].concat()
        })
    }
}
