//! Types of `GET /api/history`: the rates of the last two minutes, and the newest notes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{NoteReport, Table};

/// The rates of the last two minutes, 5 points per second, and the newest notes. Each signal has
/// one list of rates, so this answer is much smaller than the history in `GET /api/metrics`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HistoryColumns {
    /// The times of the points, milliseconds since 1970, oldest first.
    pub ts_ms: Vec<u64>,
    /// For each signal, a list with one rate per point. The rates are in the signal's unit and
    /// rounded to four digits. A rate is `null` if the signal was missing.
    pub rates: Table<Vec<Option<f64>>>,
    /// The newest notes, at most 512, oldest first.
    pub notes: Vec<NoteReport>,
}
