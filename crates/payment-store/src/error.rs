//! What can go wrong, told apart by what the caller can do about it.

use std::time::Duration;

use payment_core::object_key::RECORDED_CHARS_MAX;

use crate::driver::{DriverError, ErrorKind};

/// No message, and no message of a source, holds anything of a row.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database is away or busy; try again later")]
    Unavailable(#[source] DriverError),
    #[error("the database took longer than {} s; try again later", limit.as_secs())]
    TimedOut { limit: Duration },
    #[error("a row of {table} held a key and was gone when it was looked up; try again")]
    Vanished { table: &'static str },
    #[error("the database is not trusted: {why}")]
    Untrusted {
        why: TlsFault,
        #[source]
        source: DriverError,
    },
    #[error("there is no user and password to log in to the database with")]
    NoLogin(#[source] DriverError),
    #[error("the database refused; {}", .0.advice())]
    Refused(#[source] DriverError),
    #[error("{table} took {stored} of {sent} rows; a trigger or a proxy changes what is inserted")]
    RowCount {
        table: &'static str,
        sent: usize,
        stored: u64,
    },
    #[error("the column {column} of a stored row can't be read; was it changed by hand?")]
    Unreadable { column: &'static str },
    #[error(
        "the object's key has {chars} characters and can be recorded with {RECORDED_CHARS_MAX}; copy the object to a shorter key"
    )]
    KeyTooLong { chars: usize },
}

/// Why nothing was sent to a server, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    #[error("it offers no TLS; turn TLS on at the server")]
    NoTls,
    #[error(
        "its certificate comes from an unknown CA; set DB_CA_BUNDLE to the file of that CA's certificates (RDS has one to download)"
    )]
    UnknownCa,
    #[error(
        "its certificate is for another host; connect by the name that it holds (on RDS: the endpoint, not an alias or address)"
    )]
    OtherName,
    #[error(
        "its certificate has expired or is not valid yet; renew it (on RDS: rotate it), and check this machine's clock"
    )]
    Expired,
    #[error("its certificate can't be verified")]
    Unverified,
}

impl From<&rustls::Error> for TlsFault {
    fn from(said: &rustls::Error) -> Self {
        use rustls::CertificateError as Fault;
        let rustls::Error::InvalidCertificate(fault) = said else {
            return Self::Unverified;
        };
        match fault {
            // A bad signature is that of another CA of the same name.
            Fault::UnknownIssuer | Fault::BadSignature => Self::UnknownCa,
            Fault::NotValidForName | Fault::NotValidForNameContext { .. } => Self::OtherName,
            Fault::Expired
            | Fault::ExpiredContext { .. }
            | Fault::NotValidYet
            | Fault::NotValidYetContext { .. } => Self::Expired,
            _ => Self::Unverified,
        }
    }
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TimedOut { .. } | Self::Vanished { .. } => true,
            Self::Untrusted { .. }
            | Self::NoLogin(_)
            | Self::Refused(_)
            | Self::RowCount { .. }
            | Self::Unreadable { .. }
            | Self::KeyTooLong { .. } => false,
        }
    }
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        match error.kind() {
            ErrorKind::Transient => Self::Unavailable(error),
            ErrorKind::Untrusted(why) => Self::Untrusted { why, source: error },
            ErrorKind::NoLogin => Self::NoLogin(error),
            ErrorKind::KeyTaken | ErrorKind::DataRefused | ErrorKind::Lasting => {
                Self::Refused(error)
            }
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        DriverError::from(error).into()
    }
}
