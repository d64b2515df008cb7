//! Generates files from the HTTP API, for `cargo xtask api`: the `OpenAPI` document
//! (docs/openapi.json), the reference for users (docs/api-reference.md), and two files of the page.
//! One of the two contains the limits of the settings (ui/src/api/ranges.ts), the other the
//! kernel's lanes (ui/src/api/lanes.ts).

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
