//! Combines the health of khor's parts on the session bus.

use khor_api::{DesktopHealth, Health};

/// The health of all parts together. It is on if any part is on, and it works if all enabled parts
/// work.
pub(super) fn overall_health(parts: &DesktopHealth) -> Health {
    let DesktopHealth { bus, mpris, notifications } = parts;
    let mut enabled = [bus, mpris, notifications].into_iter().filter(|part| part.enabled).peekable();
    if enabled.peek().is_none() {
        return Health::off();
    }
    enabled.find(|part| !part.ok).cloned().unwrap_or_else(Health::working)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_part_fails_the_desktop() {
        assert_eq!(overall_health(&DesktopHealth::default()), Health::off());
        let mut desktop = DesktopHealth { bus: Health::working(), ..DesktopHealth::default() };
        assert_eq!(overall_health(&desktop), Health::working());
        desktop.mpris = Health::failing("taken", "end the other");
        assert_eq!(overall_health(&desktop), Health::failing("taken", "end the other"));
    }
}
