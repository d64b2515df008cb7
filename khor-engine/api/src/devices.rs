//! Types for selecting a sound device, and for listing the systemd units that can be the scope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sound devices of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceList {
    /// The devices.
    pub devices: Vec<DeviceInfo>,
}

/// A sound device that can play.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceInfo {
    /// Id of the device for the setting `audio.device` and the API: `id:<backend>:<device>`. A
    /// restart does not change the id.
    pub id: String,
    /// Display name of the device.
    pub name: String,
    /// Whether this is the default device, which khor uses if no device is selected.
    pub is_default: bool,
}

/// The body of `POST /api/audio/device`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceSelection {
    /// Id of the device, from `GET /api/audio/devices`. Empty or `default` selects the default
    /// device.
    pub device: String,
}

/// The answer of `POST /api/audio/device`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceSelected {
    /// Always true.
    pub ok: bool,
    /// Id of the selected device; empty for the default device.
    pub device: String,
}

/// The systemd units that can be selected as the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct UnitList {
    /// Names of the units that currently have a cgroup. Each name is a valid value of the setting
    /// `bpf.cgroup`.
    pub units: Vec<String>,
}
