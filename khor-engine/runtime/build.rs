//! Makes cargo rebuild this crate when the page in `ui/dist` changes, because the program embeds
//! it.

use std::path::Path;

fn main() {
    let dist = Path::new("../../ui/dist");
    // Cargo can only watch a folder that exists, and a fresh clone has no `ui/dist`. If the folder
    // cannot be created, the macro that embeds the page reports the error.
    let _ = std::fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={}", dist.display());
}
