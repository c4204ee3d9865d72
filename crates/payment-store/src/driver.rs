//! What the driver or the server said, sorted by what is to be done about it.

use std::borrow::Cow;
use std::io;

use sqlx::mysql::MySqlDatabaseError;

use crate::error::TlsFault;

/// The cause of an [`crate::Error`], for logs. The text holds nothing of any row: servers quote values in some
/// of their messages, and of those only the number is kept.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct DriverError {
    kind: ErrorKind,
    /// The server's, if it was the server that answered.
    number: Option<u16>,
    text: Box<str>,
}

/// Read-only: the writer before a failover (1290, 1836, 1792), or a member that its group has left out (3100).
const READ_ONLY: [u16; 4] = [1290, 1836, 1792, 3100];

/// A column must have a value that no row brings (1048, 1364): every column that may be NULL is so in the schema.
const COLUMN_ADDED: [u16; 2] = [1048, 1364];

/// The binary log is written by statement.
const BINLOG_BY_STATEMENT: u16 = 1665;

/// No number is left for a new row.
const NUMBERS_USED_UP: u16 = 1467;

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server is away or busy; the same work may succeed later.
    Transient,
    /// A unique key of the row is taken.
    KeyTaken,
    /// The server does not take the row's data.
    DataRefused,
    /// The server's certificate does not verify, or it has no TLS.
    Untrusted(TlsFault),
    /// There is no user and password to log in with.
    NoLogin,
    /// Grants, schema, configuration, a defect: only a person can help.
    Lasting,
}

impl DriverError {
    /// An error of a backend that is no server. The text must hold nothing of any row.
    pub fn fault(kind: ErrorKind, text: &str) -> Self {
        Self {
            kind,
            number: None,
            text: text.into(),
        }
    }

    /// Returns what helps.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the server said one of these numbers.
    pub(crate) fn is_one_of(&self, numbers: &[u16]) -> bool {
        self.number.is_some_and(|number| numbers.contains(&number))
    }

    /// Whether the connection will say the same until it is closed: another may reach the new writer, or a server
    /// whose setting was changed.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        self.is_one_of(&READ_ONLY) || self.is_one_of(&[BINLOG_BY_STATEMENT])
    }

    /// What a person can do about a refusal.
    pub(crate) fn advice(&self) -> &'static str {
        match self.number {
            Some(1045 | 1698) => "check user and password",
            Some(1044 | 1142 | 1143) => {
                "the user has no right to this; `payctl users` gives the pipeline's users theirs"
            }
            Some(1049) => "the schema does not exist; `payctl users` creates it",
            Some(1054 | 1146) => "a table or column is missing; run `payctl migrate`",
            Some(number) if COLUMN_ADDED.contains(&number) => {
                "a column was added or made NOT NULL by hand; give it a default, or drop it"
            }
            Some(NUMBERS_USED_UP) => {
                "the numbers of a table's rows (`id`) are used up, because a row has the largest one; an administrator \
                 gives that row the next free id by UPDATE, and then runs ALTER TABLE … AUTO_INCREMENT = 1"
            }
            Some(BINLOG_BY_STATEMENT) => {
                "its binlog_format is STATEMENT, under which READ COMMITTED can't insert; \
                 set binlog_format to ROW, on RDS in the parameter group"
            }
            _ => "check user, password and grants, and that `payctl migrate` has run",
        }
    }
}

impl DriverError {
    /// Keeps the server's whole message, which may quote values: for the person whose own statement it is about.
    pub(crate) fn in_full(error: sqlx::Error) -> Self {
        let message = error
            .as_database_error()
            .and_then(|said| said.try_downcast_ref::<MySqlDatabaseError>())
            .map(|said| format!("server error {}: {}", said.number(), said.message()));
        let short = Self::from(error);
        let text = message.map_or(short.text, Into::into);
        Self { text, ..short }
    }
}

impl From<sqlx::Error> for DriverError {
    fn from(error: sqlx::Error) -> Self {
        let server = error
            .as_database_error()
            .and_then(|e| e.try_downcast_ref::<MySqlDatabaseError>());
        match server {
            Some(said) => Self {
                kind: classify(said.number(), said.code()),
                number: Some(said.number()),
                text: server_text(said).into(),
            },
            None => Self {
                kind: classify_own(&error),
                number: None,
                text: error.to_string().into(),
            },
        }
    }
}

/// Tells by the server's error number and SQLSTATE what helps.
fn classify(number: u16, sqlstate: Option<&str>) -> ErrorKind {
    match number {
        // Unique key.
        1062 => ErrorKind::KeyTaken,
        _ if READ_ONLY.contains(&number) => ErrorKind::Transient,
        // Deadlock; lock wait.
        1213 | 1205
        // Too many connections, of all or of the user.
        | 1040 | 1203 | 1226
        // Shutting down, or kept for administrators; connection or statement ended by one, or the connection for idleness.
        | 1053 | 3032 | 1317 | 1927 | 3169 | 4031
        // Connection lost, as clients and proxies report it.
        | 2006 | 2013
        // Disk full; table full; out of memory.
        | 1021 | 1114 | 1037 | 1041
        // The table was changed by a migration, or the row by another transaction, in mid-work.
        | 1412 | 1615 | 1020 => ErrorKind::Transient,
        // Cut short, wrong value for the column, check constraint (MySQL; MariaDB below).
        1265 | 1366 | 3819 => ErrorKind::DataRefused,
        _ if COLUMN_ADDED.contains(&number) => ErrorKind::Lasting,
        // Larger than max_allowed_packet, with the state of a lost connection.
        1153 => ErrorKind::Lasting,
        // The number means something else in MySQL, with another state.
        4025 if sqlstate == Some("23000") => ErrorKind::DataRefused,
        _ => match sqlstate.map(|state| state.split_at_checked(2)) {
            // Connection; transaction rolled back by the server.
            Some(Some(("08" | "40", _))) => ErrorKind::Transient,
            Some(Some(("22", _))) => ErrorKind::DataRefused,
            _ => ErrorKind::Lasting,
        },
    }
}

/// Errors that no server sent.
fn classify_own(error: &sqlx::Error) -> ErrorKind {
    match error {
        // A certificate that does not verify comes as this kind of I/O error.
        sqlx::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => {
            ErrorKind::Untrusted(distrust(e))
        }
        // That is what the driver says of a server without TLS; all else that it may say here is of certificates.
        sqlx::Error::Tls(e) if e.to_string().contains("does not support TLS") => {
            ErrorKind::Untrusted(TlsFault::NoTls)
        }
        // MySQL takes a password that it has not cached over TLS alone, or by RSA, which the driver is built without.
        sqlx::Error::Configuration(e) if e.to_string().contains("RSA auth backend disabled") => {
            ErrorKind::Untrusted(TlsFault::NoTls)
        }
        sqlx::Error::Tls(_) => ErrorKind::Untrusted(TlsFault::Unverified),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => ErrorKind::Transient,
        _ => ErrorKind::Lasting,
    }
}

fn distrust(error: &io::Error) -> TlsFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.map_or(TlsFault::Unverified, |said: &rustls::Error| said.into())
}

fn server_text(said: &MySqlDatabaseError) -> Cow<'static, str> {
    let number = said.number();
    let Some(state) = said.code() else {
        // Sent before the log-in, so that no row was at hand.
        return format!("server error {number}: {}", said.message()).into();
    };
    // Connection, deadlock, access, syntax (statements hold placeholders alone), settings: these quote no value.
    let is_setting = READ_ONLY.contains(&number) || number == BINLOG_BY_STATEMENT;
    // These name the column, and quote no value either.
    let is_column = COLUMN_ADDED.contains(&number);
    if is_setting
        || is_column
        || ["08", "28", "40", "42"]
            .iter()
            .any(|class| state.starts_with(class))
    {
        format!("server error {number} ({state}): {}", said.message()).into()
    } else {
        format!("server error {number} ({state})").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        for (number, state, kind) in [
            (1062, "23000", ErrorKind::KeyTaken),
            (1213, "40001", ErrorKind::Transient),
            (1205, "HY000", ErrorKind::Transient),
            (1040, "08004", ErrorKind::Transient),
            (1290, "HY000", ErrorKind::Transient),
            (1836, "HY000", ErrorKind::Transient),
            (1792, "25006", ErrorKind::Transient),
            (3100, "HY000", ErrorKind::Transient),
            (3032, "HY000", ErrorKind::Transient),
            (3101, "40000", ErrorKind::Transient),
            (4031, "HY000", ErrorKind::Transient),
            (1665, "HY000", ErrorKind::Lasting),
            (1158, "08S01", ErrorKind::Transient),
            (2013, "HY000", ErrorKind::Transient),
            (1153, "08S01", ErrorKind::Lasting),
            (1364, "HY000", ErrorKind::Lasting),
            (1048, "23000", ErrorKind::Lasting),
            (1406, "22001", ErrorKind::DataRefused),
            (1264, "22003", ErrorKind::DataRefused),
            (1292, "22007", ErrorKind::DataRefused),
            (1366, "HY000", ErrorKind::DataRefused),
            (1366, "22007", ErrorKind::DataRefused),
            (3819, "HY000", ErrorKind::DataRefused),
            (4025, "23000", ErrorKind::DataRefused),
            (4025, "HY000", ErrorKind::Lasting),
            (1142, "42000", ErrorKind::Lasting),
            (1146, "42S02", ErrorKind::Lasting),
            (1045, "28000", ErrorKind::Lasting),
            (1054, "42S22", ErrorKind::Lasting),
        ] {
            assert_eq!(classify(number, Some(state)), kind, "{number} ({state})");
        }
        assert_eq!(classify(1040, None), ErrorKind::Transient);
    }

    #[test]
    fn a_lost_connection_is_transient_and_a_bad_certificate_is_not() {
        for (error, kind) in [
            (sqlx::Error::PoolTimedOut, ErrorKind::Transient),
            (sqlx::Error::PoolClosed, ErrorKind::Lasting),
            (
                io::Error::from(io::ErrorKind::UnexpectedEof).into(),
                ErrorKind::Transient,
            ),
            (
                io::Error::from(io::ErrorKind::ConnectionRefused).into(),
                ErrorKind::Transient,
            ),
            (
                io::Error::from(io::ErrorKind::InvalidData).into(),
                ErrorKind::Untrusted(TlsFault::Unverified),
            ),
        ] {
            assert_eq!(classify_own(&error), kind, "{error}");
        }
    }
}
