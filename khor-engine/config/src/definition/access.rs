//! Who may change a setting.

use serde::Serialize;

/// Who may change a setting, from the most to the least open. The value also names a caller: a
/// caller may change the settings of its own level and of the levels before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Every program on this machine by OSC, and all callers below. Such settings change the sound
    /// only: a datagram has no token.
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
