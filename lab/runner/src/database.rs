//! The database as the lab sees it: users, URLs, and the client program.

mod client;
mod setup;

use std::{borrow::Cow, io, path::PathBuf, process::ExitStatus};

use clap::ValueEnum;
use percent_encoding::percent_decode_str;
use reqwest::Url;

pub use self::{client::Client, setup::prepare};
use crate::{lab::Lab, part_name::PartName, secret::Secret, state, vpc};

const SCHEMA: &str = "payments";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    State(#[from] state::Error),
    #[error("--database-url is not of the form mysql://user:password@host:port")]
    Url,
    #[error("can't run {}", program.display())]
    Run {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} as {user} failed ({status}): {message}", program.display())]
    Refused {
        program: PathBuf,
        user: String,
        status: ExitStatus,
        message: String,
    },
    #[error("the schema could not be brought up to date")]
    Migrate(#[source] payment_store::MigrateError),
}

/// Who a part or a person is to the database.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum User {
    Migrator,
    Ingest,
    #[default]
    Reader,
}

impl User {
    pub fn name(self) -> &'static str {
        match self {
            Self::Migrator => "migrator",
            Self::Ingest => "ingest",
            Self::Reader => "reader",
        }
    }

    pub fn password(self, lab: &Lab) -> &Secret {
        let passwords = &lab.credentials.mysql;
        match self {
            Self::Migrator => &passwords.migrator,
            Self::Ingest => &passwords.ingest,
            Self::Reader => &passwords.reader,
        }
    }
}

/// Where the client program connects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    Socket(PathBuf),
    Tcp { host: String, port: u16 },
}

/// The lab's own server, or one that was there before.
#[derive(Clone, Debug)]
pub struct Database<'a> {
    lab: &'a Lab,
    /// Without a user; the rest stays as it was given.
    base: Url,
    endpoint: Endpoint,
    admin: String,
    admin_password: Secret,
}

impl Lab {
    pub fn database(&self) -> Result<Database<'_>, Error> {
        Database::of(self)
    }
}

impl<'a> Database<'a> {
    fn of(lab: &'a Lab) -> Result<Self, Error> {
        match &lab.settings.database_url {
            Some(url) => Self::elsewhere(lab, url),
            None => Self::own(lab),
        }
    }

    fn own(lab: &'a Lab) -> Result<Self, Error> {
        let base = format!("mysql://{}", lab.address(PartName::Mysql));
        Ok(Self {
            lab,
            base: Url::parse(&base).map_err(|_| Error::Url)?,
            endpoint: Endpoint::Socket(lab.dir.mysql_socket()?),
            admin: "root".to_owned(),
            admin_password: lab.credentials.mysql.root.clone(),
        })
    }

    fn elsewhere(lab: &'a Lab, url: &Secret) -> Result<Self, Error> {
        let base = Url::parse(url.expose()).map_err(|_| Error::Url)?;
        let host = base.host_str().ok_or(Error::Url)?.to_owned();
        let port = base.port().unwrap_or(3306);
        let decode = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map(Cow::into_owned)
                .map_err(|_| Error::Url)
        };
        if base.scheme() != "mysql" || base.username().is_empty() {
            return Err(Error::Url);
        }
        Ok(Self {
            lab,
            endpoint: Endpoint::Tcp { host, port },
            admin: decode(base.username())?,
            admin_password: Secret::new(decode(base.password().unwrap_or_default())?),
            base,
        })
    }

    /// What a program of the lab connects with: by the relay, where there is one.
    pub fn route(&self, user: User) -> Secret {
        let mut base = self.base.clone();
        if self.lab.settings.database_url.is_none() {
            // Refused only for URLs without a host, which the base is not.
            if self.lab.vpc.is_some() {
                let _ = base.set_host(Some(vpc::DATABASE));
            }
            let _ = base.set_port(Some(self.lab.route(PartName::Mysql).port()));
        }
        self.with_user(base, user)
    }

    /// What a person or a tool connects with, password included.
    pub fn url(&self, user: User) -> Secret {
        self.with_user(self.base.clone(), user)
    }

    fn with_user(&self, mut url: Url, user: User) -> Secret {
        // Refused only for URLs without a host, which the base is not.
        let _ = url.set_username(user.name());
        let _ = url.set_password(Some(user.password(self.lab).expose()));
        url.set_path(SCHEMA);
        Secret::new(url)
    }

    /// The address that programs connect to.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = self.base.host_str().unwrap_or_default();
        (host.to_owned(), self.base.port().unwrap_or(3306))
    }

    pub fn client(&self, user: User) -> Client {
        self.client_as(user.name(), user.password(self.lab))
    }

    pub fn admin(&self) -> Client {
        self.client_as(&self.admin, &self.admin_password)
    }

    fn client_as(&self, user: &str, password: &Secret) -> Client {
        Client::new(
            self.lab.settings.tools.client.clone(),
            self.endpoint.clone(),
            user,
            password.clone(),
        )
    }
}
