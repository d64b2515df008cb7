//! Makes cargo notice when the page is built: the program embeds `ui/dist`, which a fresh clone doesn't have.

use std::path::Path;

fn main() {
    let dist = Path::new("../../ui/dist");
    // A folder that isn't there can't be watched. If it can't be made either, the embedding says so.
    let _ = std::fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={}", dist.display());
}
