//! The body of `POST /api/login`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /api/login`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Login {
    /// The token from the file in the setting `listen.token_file`.
    pub token: String,
    /// The path for which the session's cookie is valid, for example `/khor/` if a proxy serves the
    /// page at this path. Without this field, the cookie is valid for all paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
