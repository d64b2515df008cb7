//! The body of `POST /api/login`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /api/login`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Login {
    /// The token in the file that the setting `listen.token_file` names.
    pub token: String,
    /// The path of the cookie, such as `/khor/` if a proxy serves the page there. Without it, the
    /// cookie is for all paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
