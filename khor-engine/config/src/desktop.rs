//! The settings of the session bus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What khor offers on the session bus. All of it is off until it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Desktop {
    /// Be `org.khor.Engine` on the session bus, for scripts and desktop tools.
    pub bus: bool,
    /// Be a media player to the desktop (MPRIS): its keys and applet mute, set the volume and change the preset.
    pub mpris: bool,
    /// Show a desktop notification when a program is killed for want of memory or crashes, or a disk request fails.
    pub notifications: bool,
}
