//! Who may change a setting.

use serde::Serialize;

/// Who may change a setting, the most open level first. The value also names a caller. A caller may
/// change the settings of its own level and of the levels above it in this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Any program on this machine through OSC, and all callers below. OSC has no token, so these
    /// settings change only the sound.
    Anyone,
    /// Clients of the API: the page, `khor config`, programs on the session bus.
    Api,
    /// The configuration file and the options of `khor engine`.
    CommandLine,
    /// The configuration file alone.
    File,
}

impl Access {
    /// The callers in words, as in "only … may set this".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Anyone => "programs on this machine",
            Self::Api => "clients of the API",
            Self::CommandLine => "the configuration file or an option of khor engine",
            Self::File => "the configuration file",
        }
    }
}
