//! The settings of the session bus.

use crate::{Access, Rule, definition::section};

section! {
    /// What khor offers on the session bus.
    #[derive(Copy, Eq)]
    Desktop, DesktopPatch {
        /// Offer `org.khor.Engine` on the session bus, for scripts and desktop tools.
        bus: bool = false, Rule::Any, Access::Api;
        /// Offer a media player to the desktop (MPRIS). Its keys and applet mute, set the volume and
        /// change the preset.
        mpris: bool = false, Rule::Any, Access::Api;
        /// Show a desktop notification when a program is killed for want of memory or crashes, or a
        /// disk request fails.
        notifications: bool = false, Rule::Any, Access::Api;
    }
}
