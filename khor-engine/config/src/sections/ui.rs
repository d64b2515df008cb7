//! The settings of the web page.

use std::path::PathBuf;

use super::rules::PATH;
use crate::{Access, Rule, definition::section};

section! {
    /// The web page.
    Ui, UiPatch {
        /// Serve the page.
        serve: bool = true, Rule::Any, Access::Api, restart;
        /// Serve the page from this folder instead of the copy in the program.
        dir: Option<PathBuf> = None, PATH, Access::CommandLine, restart;
    }
}
