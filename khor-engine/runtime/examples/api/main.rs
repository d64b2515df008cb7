//! `cargo xtask api` runs this program. It writes the description of the HTTP API
//! (docs/openapi.json), the reference for people (docs/api-reference.md), and the limits of
//! settings for the page (ui/src/api/ranges.ts).

mod documents;
mod reference;
mod types;

use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    for (path, text) in documents::documents()? {
        println!("{}, {} KiB", path.display(), text.len() / 1024);
        fs::write(path, text)?;
    }
    Ok(())
}
