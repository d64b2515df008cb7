//! The answer to a request that was rejected.

use khor_music::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a request that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Refusal {
    /// Always false.
    pub ok: bool,
    /// The field, what is wrong with it, and what is allowed.
    pub error: String,
    /// All problems of a preset. The field is missing in other answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}
