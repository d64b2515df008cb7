//! Parses paths on the command line.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Parses a path that becomes a setting. A setting is stored as JSON, so its path must be UTF-8.
pub fn setting_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(_) => Ok(path),
        None => Err("the path is not UTF-8: rename it, or link to it under another name"),
    })
}
