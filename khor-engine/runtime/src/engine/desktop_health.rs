//! Combines the health of all parts that use the session bus.

use khor_api::{DesktopHealth, Health};

/// Combines the health of all parts. If an enabled part fails, returns the health of the first such
/// part. Otherwise the result is ok, or off if no part is enabled.
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
        desktop.mpris = Health::failing("error", "fix");
        assert_eq!(overall_health(&desktop), Health::failing("error", "fix"));
    }
}
