//! The health of khor's parts on the session bus, for `/api/health`.

use khor_output::Health;
use schemars::JsonSchema;
use serde::Serialize;

/// How each part is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DesktopHealth {
    /// `org.khor.Engine`.
    pub bus: Health,
    /// The media player.
    pub mpris: Health,
    /// Notifications.
    pub notifications: Health,
}

impl DesktopHealth {
    /// The health of all parts together: on if one part is on, working if all enabled parts work.
    pub fn overall(&self) -> Health {
        let Self { bus, mpris, notifications } = self;
        let mut enabled = [bus, mpris, notifications].into_iter().filter(|part| part.enabled).peekable();
        if enabled.peek().is_none() {
            return Health::off();
        }
        enabled.find(|part| !part.ok).cloned().unwrap_or_else(Health::working)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_part_fails_the_desktop() {
        assert_eq!(DesktopHealth::default().overall(), Health::off());
        let mut desktop = DesktopHealth { bus: Health::working(), ..DesktopHealth::default() };
        assert_eq!(desktop.overall(), Health::working());
        desktop.mpris = Health::failing("taken", "end the other");
        assert_eq!(desktop.overall(), Health::failing("taken", "end the other"));
    }
}
