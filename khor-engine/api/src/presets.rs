//! The presets: lists, selections, checks and previews.

use khor_music::{PresetText, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The available presets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetList {
    /// The presets, built-in ones first.
    pub presets: Vec<PresetInfo>,
    /// Name of the current preset.
    pub current: String,
    /// Name of the unsaved preset that plays; `null` if the current preset plays.
    pub previewing: Option<String>,
    /// The problems of the user's presets, one line each.
    pub problems: Vec<String>,
}

/// A preset in the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetInfo {
    /// Name: 1 to 64 of a-z 0-9 - _.
    pub name: String,
    /// One sentence that helps users choose.
    pub hint: String,
    /// Whether it is part of khor.
    pub builtin: bool,
    /// Whether clients can change and remove it.
    pub editable: bool,
    /// Path of its file; `null` for a built-in preset.
    pub file: Option<String>,
}

/// A preset was selected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetSelected {
    /// Always true.
    pub ok: bool,
    /// Name of the current preset.
    pub preset: String,
}

/// One preset with all its settings.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PresetReport {
    /// Always true.
    pub ok: bool,
    /// Name.
    pub name: String,
    /// One sentence that helps users choose.
    pub hint: String,
    /// Whether it is part of khor.
    pub builtin: bool,
    /// Path of its file; `null` for a built-in preset.
    pub file: Option<String>,
    /// The keys of the preset's file, always with the whole `map`.
    pub preset: PresetText,
}

/// The result of a check of a preset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PresetChecked {
    /// Whether the preset is valid.
    pub ok: bool,
    /// All problems of the preset.
    pub problems: Vec<Problem>,
}

/// The unsaved preset that plays.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PresetPreview {
    /// Always true.
    pub ok: bool,
    /// Name of the preset.
    pub name: String,
    /// The keys of a preset's file.
    pub preset: PresetText,
}
