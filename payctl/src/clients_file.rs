//! Changes the file of clients, so that nobody ever reads half of it and its comments stay.
//!
//! A new file is written beside it and takes its place. While that is there, no second change can begin: it would undo
//! the first one, and bring back a key that was just revoked.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use clients::{Limits, Registry, load};
use payment_core::{ClientName, Timestamp};
use time::format_description::well_known::Rfc3339;
use toml_edit::{ArrayOfTables, Datetime, DocumentMut, Item, Table, value};

/// The mode of a new file: the web tier reads it by its group.
const MODE: u32 = 0o640;

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("{} can't be {what}", path.display())]
    Io {
        path: PathBuf,
        what: &'static str,
        source: io::Error,
    },
    #[error("{} is there: another payctl is changing the file of clients; if none is running, remove it", .0.display())]
    Busy(PathBuf),
    #[error("{} is not a file of clients: {mistakes}", path.display())]
    Broken { path: PathBuf, mistakes: String },
    #[error("there is a client {0} already; payctl client rotate {0} gives it another key")]
    Exists(ClientName),
    #[error("there is no client {0}; payctl client list shows them")]
    NoClient(ClientName),
    #[error("client {0} has no key of this id; payctl client list shows them")]
    NoKey(ClientName),
    #[error("the keys of client {0} are not written as [[clients.{0}.keys]]; change them by hand")]
    OtherForm(ClientName),
}

/// A key as it is added.
#[derive(Debug)]
pub struct NewKey {
    pub id: String,
    /// `sha256`, `ed25519` or `hmac_sha256`, and its value.
    pub material: (&'static str, String),
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
}

/// The file of clients while it is changed.
#[derive(Debug)]
pub struct Change {
    path: PathBuf,
    document: DocumentMut,
    beside: Beside,
}

/// The file that will take the other's place; it is removed unless it does.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
    file: File,
    is_done: bool,
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_done {
            // Whoever comes next is told to remove it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Reads the clients, where the file is right.
pub fn read(path: &Path) -> Result<Registry, ChangeError> {
    let (text, _) = load::read(path).map_err(failed(path, "read"))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Registry, ChangeError> {
    Registry::parse(text).map_err(|mistakes| ChangeError::Broken {
        path: path.to_owned(),
        mistakes: mistakes.to_string(),
    })
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> ChangeError {
    let path = path.to_owned();
    move |source| ChangeError::Io { path, what, source }
}

impl Change {
    /// Begins a change. A file that is not there is an empty one.
    pub fn begin(path: &Path) -> Result<Self, ChangeError> {
        // Of a link, what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = Beside::create(&path)?;
        let text = match load::read(&path) {
            Ok((text, _)) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&path, "read")(error)),
        };
        parse(&path, &text)?;
        let document = text.parse().map_err(|_| ChangeError::Broken {
            path: path.clone(),
            mistakes: "it is not TOML".to_owned(),
        })?;
        Ok(Self {
            path,
            document,
            beside,
        })
    }

    pub fn add(&mut self, name: &ClientName, limits: &Limits) -> Result<(), ChangeError> {
        let Limits {
            rate,
            burst,
            in_flight,
        } = limits;
        let mut client = Table::new();
        for (member, limit) in [("rate", rate), ("burst", burst), ("in_flight", in_flight)] {
            if let Some(limit) = limit {
                client.insert(member, value(i64::from(limit.get())));
            }
        }
        let clients = self.document.entry("clients").or_insert_with(|| {
            let mut clients = Table::new();
            clients.set_implicit(true);
            Item::Table(clients)
        });
        match clients.as_table_like_mut() {
            Some(clients) if !clients.contains_key(name.as_str()) => {
                clients.insert(name.as_str(), Item::Table(client));
                Ok(())
            }
            Some(_) => Err(ChangeError::Exists(name.clone())),
            None => Err(ChangeError::OtherForm(name.clone())),
        }
    }

    pub fn add_key(&mut self, name: &ClientName, key: NewKey) -> Result<(), ChangeError> {
        let mut table = Table::new();
        let (kind, material) = key.material;
        table.insert("id", value(key.id));
        table.insert(kind, value(material));
        table.insert("created", time(key.created));
        if let Some(expires) = key.expires {
            table.insert("expires", time(expires));
        }
        self.keys(name)?.push(table);
        Ok(())
    }

    /// Removes a client with all its keys.
    pub fn remove(&mut self, name: &ClientName) -> Result<(), ChangeError> {
        let clients = self.document.get_mut("clients");
        let clients = clients.and_then(Item::as_table_like_mut);
        let removed = clients.and_then(|clients| clients.remove(name.as_str()));
        removed
            .map(|_| ())
            .ok_or_else(|| ChangeError::NoClient(name.clone()))
    }

    pub fn remove_key(&mut self, name: &ClientName, id: &str) -> Result<(), ChangeError> {
        let keys = self.keys(name)?;
        let before = keys.len();
        keys.retain(|key| key.get("id").and_then(Item::as_str) != Some(id));
        if keys.len() == before {
            return Err(ChangeError::NoKey(name.clone()));
        }
        Ok(())
    }

    fn keys(&mut self, name: &ClientName) -> Result<&mut ArrayOfTables, ChangeError> {
        let clients = self.document.get_mut("clients");
        let clients = clients.and_then(Item::as_table_like_mut);
        let client = clients.and_then(|clients| clients.get_mut(name.as_str()));
        let client = client.ok_or_else(|| ChangeError::NoClient(name.clone()))?;
        let client = client.as_table_mut();
        let keys = client.map(|client| {
            let none = || Item::ArrayOfTables(ArrayOfTables::new());
            client.entry("keys").or_insert_with(none)
        });
        let keys = keys.and_then(Item::as_array_of_tables_mut);
        keys.ok_or_else(|| ChangeError::OtherForm(name.clone()))
    }

    /// Puts the changed file in the other's place, under its mode and owner.
    pub fn save(mut self) -> Result<(), ChangeError> {
        let text = self.document.to_string();
        let registry = parse(&self.path, &text)?;
        let mode = self.keep_owner_and_mode()?;
        registry
            .check_mode(mode)
            .map_err(|mistakes| ChangeError::Broken {
                path: self.path.clone(),
                mistakes: mistakes.to_string(),
            })?;
        let (path, beside) = (self.path.clone(), self.beside.path.clone());
        let file = &mut self.beside.file;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        written.map_err(failed(&beside, "written"))?;
        fs::rename(&beside, &path).map_err(failed(&path, "replaced"))?;
        self.beside.is_done = true;
        let folder = folder(&path);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(failed(folder, "synced"))
    }

    fn keep_owner_and_mode(&self) -> Result<u32, ChangeError> {
        let file = &self.beside.file;
        let mode = match fs::metadata(&self.path) {
            Err(_) => MODE,
            Ok(before) => {
                let now = file.metadata().map_err(failed(&self.beside.path, "read"))?;
                if (before.uid(), before.gid()) != (now.uid(), now.gid()) {
                    let owned = fchown(file, Some(before.uid()), Some(before.gid()));
                    owned.map_err(failed(&self.beside.path, "given to the file's owner"))?;
                }
                before.mode() & 0o777
            }
        };
        let set = file.set_permissions(Permissions::from_mode(mode));
        set.map_err(failed(&self.beside.path, "given the file's mode"))?;
        Ok(mode)
    }
}

impl Beside {
    fn create(path: &Path) -> Result<Self, ChangeError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.new"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside);
        match file {
            Ok(file) => Ok(Self {
                path: beside,
                file,
                is_done: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(ChangeError::Busy(beside))
            }
            Err(error) => Err(failed(&beside, "made")(error)),
        }
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Whole seconds: nobody wants to read more.
fn time(time: Timestamp) -> Item {
    let whole = time.to_utc().truncate_to_second();
    let text = whole.format(&Rfc3339).unwrap_or_default();
    // RFC 3339 is what TOML's times are.
    text.parse::<Datetime>().map_or(Item::None, value)
}
