//! The answer to a request that was rejected.

use khor_music::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a request that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Refusal {
    /// Always false.
    pub ok: bool,
    /// What is wrong with the request: the setting, field or parameter, its problem, and the
    /// allowed values.
    pub error: String,
    /// All problems of a rejected preset. Other answers do not have this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}
