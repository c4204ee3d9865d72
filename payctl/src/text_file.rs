//! Files that somebody names: a device or a pipe may have no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The text of a file, which may have so many bytes.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(bytes_max);
    file.read_to_string(&mut text)?;
    if file.limit() == 0 {
        let what = format!("it has {bytes_max} bytes or more");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(text)
}
