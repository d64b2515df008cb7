//! Detects the features of the terminal from environment variables.

use std::io::IsTerminal;

/// Why khor cannot draw on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawable {
    #[error("TERM is not set")]
    /// The variable `TERM` is missing, so khor does not know the terminal.
    Unset,
    #[error("TERM=dumb is a terminal that cannot move its cursor")]
    /// The variable `TERM` names a terminal that cannot move its cursor.
    Dumb,
}

/// Checks that a terminal with this `TERM` supports escape sequences.
fn check_term(term: Option<&str>) -> Result<(), NotDrawable> {
    match term {
        None | Some("") => Err(NotDrawable::Unset),
        Some("dumb") => Err(NotDrawable::Dumb),
        Some(_) => Ok(()),
    }
}

/// Checks that the terminal of this process supports escape sequences.
pub fn check_drawable() -> Result<(), NotDrawable> {
    check_term(env_variable("TERM").as_deref())
}

/// Whether stderr is a terminal on which khor can redraw a line.
pub fn stderr_is_drawable() -> bool {
    std::io::stderr().is_terminal() && check_drawable().is_ok()
}

/// Whether khor may use colours. The user can forbid colours with `NO_COLOR`.
pub fn wants_colours() -> bool {
    env_variable("NO_COLOR").is_none()
}

/// The value of an environment variable; `None` if it is unset or empty.
pub fn env_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn term_must_be_set_and_not_dumb() {
        assert_eq!(check_term(None), Err(NotDrawable::Unset));
        assert_eq!(check_term(Some("")), Err(NotDrawable::Unset));
        assert_eq!(check_term(Some("dumb")), Err(NotDrawable::Dumb));
        assert_eq!(check_term(Some("linux")), Ok(()));
    }
}
