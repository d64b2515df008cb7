//! Reads regular files. Rejects FIFOs and devices, because they can block the reader or never end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
    string::FromUtf8Error,
};

use nix::fcntl::OFlag;

use super::timeout::with_timeout;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Opens a regular file for reading.
///
/// # Errors
///
/// Returns [`io::ErrorKind::InvalidInput`] if the path leads to another kind of file. Also returns
/// the system's errors, and the errors of [`with_timeout`].
pub fn open(path: &Path) -> io::Result<File> {
    with_timeout(path, open_regular)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
///
/// Returns [`io::ErrorKind::FileTooLarge`] if the file is longer than `limit`. Also returns the
/// errors of [`open`].
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    with_timeout(path, move |path| {
        let mut content = Vec::new();
        open_regular(path)?.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            let message = format!("it is larger than {limit} bytes, the limit for this kind of file");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(content)
    })
}

/// Reads a regular UTF-8 file of at most `limit` bytes. Removes the byte order mark that some
/// editors write.
///
/// # Errors
///
/// Returns [`io::ErrorKind::InvalidData`] if the file is not UTF-8. Also returns the errors of
/// [`read`].
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::from_utf8(read(path, limit)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, not_utf_8(&error)))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

/// Creates the error for a text that is not UTF-8. The error names the line of the first invalid
/// byte.
fn not_utf_8(error: &FromUtf8Error) -> String {
    let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = valid.split(|byte| *byte == b'\n').count();
    format!("it is not UTF-8 text: see line {line}")
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Check before opening, because opening some devices has an effect, such as rewinding a tape.
    check_regular(&fs::metadata(path)?)?;
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    // Check again, because the path may lead to another file now.
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Checks that a file is a regular file.
pub(super) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let name = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {name}, expected a regular file")))
}
