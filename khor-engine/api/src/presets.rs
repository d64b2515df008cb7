//! Types of the answers about presets: the list, a selection, one preset, a check and a preview.

use khor_music::{PresetText, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The available presets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetList {
    /// The presets, built-in ones first.
    pub presets: Vec<PresetInfo>,
    /// Name of the selected preset.
    pub current: String,
    /// Name of the unsaved preset that plays as a preview; `null` if the selected preset plays.
    pub previewing: Option<String>,
    /// The problems of the files in the user's preset folder, one line each.
    pub problems: Vec<String>,
}

/// A preset in the list of presets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetInfo {
    /// Name of the preset: 1 to 64 of the characters `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// One sentence that describes the preset's sound.
    pub hint: String,
    /// Whether the preset is built in.
    pub builtin: bool,
    /// Whether clients can change and delete the preset.
    pub editable: bool,
    /// Path of the preset's file; `null` for a built-in preset.
    pub file: Option<String>,
}

/// The answer of `POST /api/preset/select`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetSelected {
    /// Always true.
    pub ok: bool,
    /// Name of the selected preset.
    pub preset: String,
}

/// One preset with all its settings.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PresetReport {
    /// Always true.
    pub ok: bool,
    /// Name of the preset.
    pub name: String,
    /// One sentence that describes the preset's sound.
    pub hint: String,
    /// Whether the preset is built in.
    pub builtin: bool,
    /// Path of the preset's file; `null` for a built-in preset.
    pub file: Option<String>,
    /// The keys of the preset's file. The mapping (`map`) is always complete.
    pub preset: PresetText,
}

/// The answer of `POST /api/presets/check`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetChecked {
    /// Whether the preset is valid.
    pub ok: bool,
    /// The problems of the preset; empty for a valid preset.
    pub problems: Vec<Problem>,
}

/// The unsaved preset that plays as a preview.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PresetPreview {
    /// Always true.
    pub ok: bool,
    /// Name of the unsaved preset.
    pub name: String,
    /// The keys of the preset, as in a preset's file.
    pub preset: PresetText,
}
