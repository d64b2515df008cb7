//! Sound devices, and the systemd units that can be selected as the scope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sound devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceList {
    /// The devices.
    pub devices: Vec<DeviceInfo>,
}

/// An output device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceInfo {
    /// Stable name for the configuration and the API: `id:<backend>:<device>`.
    pub id: String,
    /// Name to show to users.
    pub name: String,
    /// Whether khor uses it when no device is selected.
    pub is_default: bool,
}

/// The body of `POST /api/audio/device`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceSelection {
    /// `id:…` as listed. Empty or `default` selects the default device.
    pub device: String,
}

/// A sound device was selected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DeviceSelected {
    /// Always true.
    pub ok: bool,
    /// The selected device, `id:…`; empty for the default device.
    pub device: String,
}

/// The systemd units that can be selected as the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct UnitList {
    /// Names of the units that have a cgroup now, for the setting `bpf.cgroup`.
    pub units: Vec<String>,
}
