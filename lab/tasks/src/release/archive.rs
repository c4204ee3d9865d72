//! Archives whose bytes depend only on their content: fixed order, owner, mode and time.

use std::io::{self, Cursor, Write as _};

use flate2::{Compression, GzBuilder};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub const PROGRAM: u32 = 0o755;
pub const TEXT: u32 = 0o644;

/// A file of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    /// [`PROGRAM`] or [`TEXT`].
    pub mode: u32,
    pub content: Vec<u8>,
}

/// Returns an archive of the entries under `folder`, dated `epoch` (seconds since 1970), owned by root.
pub fn tar_gz(folder: &str, mut entries: Vec<Entry>, epoch: u64) -> io::Result<Vec<u8>> {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    // Without a name and a time, like `gzip -n`.
    let gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(entry.content.len()).map_err(io::Error::other)?);
        header.set_mode(entry.mode);
        header.set_mtime(epoch);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        let path = format!("{folder}/{}", entry.name);
        tar.append_data(&mut header, path, entry.content.as_slice())?;
    }
    tar.into_inner()?.finish()
}

/// Returns a zip of one file, as Lambda takes it. Zip times have no time zone, so it gets the earliest possible.
pub fn zip(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(entry.mode);
    zip.start_file(entry.name.as_str(), options)?;
    zip.write_all(&entry.content)?;
    Ok(zip.finish()?.into_inner())
}
