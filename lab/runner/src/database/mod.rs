//! The lab's database: users, URLs, and the client program.

mod client;
mod setup;

use std::{borrow::Cow, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use percent_encoding::percent_decode_str;
use reqwest::Url;

pub use self::{client::Client, setup::prepare};
use crate::{lab::Lab, part_name::PartName, secret::Secret, vpc};

const SCHEMA: &str = "payments";

const URL_FORM: &str = "--database-url must have the form mysql://user:password@host:port";

/// Database users of parts and people.
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

/// Address that the client program connects to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    Socket(PathBuf),
    Tcp { host: String, port: u16 },
}

/// The lab's own server, or an existing one.
#[derive(Clone, Debug)]
pub struct Database<'a> {
    lab: &'a Lab,
    /// URL without a user; the rest as given.
    base: Url,
    endpoint: Endpoint,
    admin: String,
    admin_password: Secret,
}

impl Lab {
    pub fn database(&self) -> Result<Database<'_>> {
        Database::of(self)
    }
}

impl<'a> Database<'a> {
    fn of(lab: &'a Lab) -> Result<Self> {
        match &lab.settings.database_url {
            Some(url) => Self::elsewhere(lab, url),
            None => Self::own(lab),
        }
    }

    fn own(lab: &'a Lab) -> Result<Self> {
        let base = format!("mysql://{}", lab.address(PartName::Mysql));
        Ok(Self {
            lab,
            base: Url::parse(&base).ok().context(URL_FORM)?,
            endpoint: Endpoint::Socket(lab.dir.mysql_socket()?),
            admin: "root".to_owned(),
            admin_password: lab.credentials.mysql.root.clone(),
        })
    }

    fn elsewhere(lab: &'a Lab, url: &Secret) -> Result<Self> {
        let base = Url::parse(url.expose()).ok().context(URL_FORM)?;
        let host = base.host_str().context(URL_FORM)?.to_owned();
        let port = base.port().unwrap_or(3306);
        let decode = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map(Cow::into_owned)
                .ok()
                .context(URL_FORM)
        };
        ensure!(
            base.scheme() == "mysql" && !base.username().is_empty(),
            URL_FORM
        );
        Ok(Self {
            lab,
            endpoint: Endpoint::Tcp { host, port },
            admin: decode(base.username())?,
            admin_password: Secret::new(decode(base.password().unwrap_or_default())?),
            base,
        })
    }

    /// Returns the URL for the lab's programs: through the relay, if there is one.
    pub fn route(&self, user: User) -> Secret {
        let mut base = self.base.clone();
        if self.lab.settings.database_url.is_none() {
            // Fails only for URLs without a host, which the base has.
            if self.lab.vpc.is_some() {
                let _ = base.set_host(Some(vpc::DATABASE));
            }
            let _ = base.set_port(Some(self.lab.route(PartName::Mysql).port()));
        }
        self.with_user(base, user)
    }

    /// Returns the URL for a person or a tool, including the password.
    pub fn url(&self, user: User) -> Secret {
        self.with_user(self.base.clone(), user)
    }

    fn with_user(&self, mut url: Url, user: User) -> Secret {
        // Fails only for URLs without a host, which the base has.
        let _ = url.set_username(user.name());
        let _ = url.set_password(Some(user.password(self.lab).expose()));
        url.set_path(SCHEMA);
        Secret::new(url)
    }

    /// Returns the address that programs connect to.
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
