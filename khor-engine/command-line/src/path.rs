//! Parses paths on the command line.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Creates a clap parser for a path that becomes a setting. The path must be UTF-8, because
/// settings are stored as JSON.
pub fn setting_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(_) => Ok(path),
        None => Err("the path is not UTF-8: rename the file, or make a link with another name"),
    })
}
