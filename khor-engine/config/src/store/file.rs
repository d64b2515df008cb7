//! Reads the configuration file, and formats the text that khor writes into it.

use std::{io, path::Path};

use khor_system::files::{self, Stamp};
use serde_json::Value;

use crate::json;

/// Size limit of a configuration file, bytes. khor neither reads nor writes a larger file. A file
/// with all known settings at their longest values needs a third of this size.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The state of the configuration file.
#[derive(Debug, Default)]
pub(super) struct FileState {
    /// The file's stamp at the last read or write; `None` if there was no file.
    pub(super) stamp: Option<Stamp>,
    /// Why khor could not read the file. khor then does not write the file, because this would
    /// destroy its content.
    pub(super) read_error: Option<String>,
    /// Whether the file has invalid settings or is not JSON. khor backs up such a file before it
    /// overwrites the file.
    pub(super) invalid: bool,
}

/// The content of the configuration file.
pub(super) enum Content {
    /// There is no file.
    Missing,
    /// The content as JSON.
    Json(Value),
    /// The error of a file that is not valid JSON.
    Invalid(String),
    /// The error of a file that khor cannot read.
    Unreadable(String),
}

/// Reads the configuration file.
pub(super) fn read(path: &Path) -> Content {
    let text = match files::read_text(path, MAX_BYTES as u64) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Content::Missing,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Content::Invalid(format!("{}: {error}", path.display()));
        }
        Err(error) => return Content::Unreadable(format!("cannot read {}: {error}", path.display())),
    };
    match json::parse(text.as_bytes()) {
        Ok(document) => Content::Json(document),
        Err(problem) => Content::Invalid(format!("{} is not valid JSON: {problem}", path.display())),
    }
}

/// Formats a document for the file: indented, or on one line if the indented text is too long.
pub(super) fn text(document: &Value) -> io::Result<Vec<u8>> {
    let mut text = Bounded(Vec::new());
    if serde_json::to_writer_pretty(&mut text, document).is_err() {
        text.0.clear();
        serde_json::to_writer(&mut text, document)?;
    }
    text.0.push(b'\n');
    Ok(text.0)
}

/// A writer that fails when the text exceeds [`MAX_BYTES`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() >= MAX_BYTES {
            let message =
                format!("it would be larger than {MAX_BYTES} bytes; remove keys that khor does not know");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
