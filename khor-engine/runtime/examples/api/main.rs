//! `cargo xtask api` runs this program. It writes the `OpenAPI` document of the HTTP API
//! (docs/openapi.json), the reference for users (docs/api-reference.md), and two files of the page:
//! the limits of settings (ui/src/api/ranges.ts) and the lanes of the kernel (ui/src/api/lanes.ts).

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
