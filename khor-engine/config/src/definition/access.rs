//! The access levels: which callers may change a setting.

use serde::Serialize;

/// The access level of a setting, or of a caller who changes settings. The most open level is
/// first. A caller may change the settings of its own level and of all levels before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Every program on this machine may change the setting through OSC. The callers of all other
    /// levels may also change it. OSC has no token, so only settings of the sound have this level.
    Anyone,
    /// Clients of the API (the page, `khor config`) and programs on the session bus may change the
    /// setting. The callers of the levels `CommandLine` and `File` may also change it.
    Api,
    /// Only the options of `khor engine` and the configuration file may set the value.
    CommandLine,
    /// Only the configuration file may set the value.
    File,
}

impl Access {
    /// The callers that have this level, in words, for the text "only … may set this".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Anyone => "programs on this machine",
            Self::Api => "clients of the API",
            Self::CommandLine => "the configuration file or an option of khor engine",
            Self::File => "the configuration file",
        }
    }
}
