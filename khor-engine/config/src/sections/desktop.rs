//! The settings of the session bus.

use crate::{Access, Rule, definition::section};

section! {
    /// The services that khor offers on the session bus.
    #[derive(Copy, Eq)]
    Desktop, DesktopPatch {
        /// Offer the service `org.khor.Engine` on the session bus, for scripts and desktop tools.
        bus: bool = false, Rule::Any, Access::Api;
        /// Offer a media player to the desktop (MPRIS). Media keys and applets mute khor, set the
        /// volume and change the preset.
        mpris: bool = false, Rule::Any, Access::Api;
        /// Show a desktop notification when the kernel kills a program because memory ran out, when
        /// a program crashes, or when a disk request fails.
        notifications: bool = false, Rule::Any, Access::Api;
    }
}
