//! Writes the files that are generated from the HTTP API, when `cargo xtask api` runs this program:
//! the `OpenAPI` document (docs/openapi.json), the reference for users (docs/api-reference.md), the
//! limits of the settings for the page (ui/src/api/ranges.ts), and the kernel's lanes for the page
//! (ui/src/api/lanes.ts).

mod documents;
mod lanes;
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
