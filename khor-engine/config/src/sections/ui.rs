//! The settings of the web page.

use std::path::PathBuf;

use super::rules::PATH;
use crate::{Access, Rule, definition::section};

section! {
    /// The web page.
    Ui, UiPatch {
        /// Serve the web page.
        serve: bool = true, Rule::Any, Access::Api, restart;
        /// Folder from which khor serves the page, instead of the page that is built into khor.
        dir: Option<PathBuf> = None, PATH, Access::CommandLine, restart;
    }
}
