//! What the terminal can do, by the environment.

use std::io::IsTerminal;

/// Why nothing can be drawn on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotDrawable {
    #[error("TERM is not set")]
    Unset,
    #[error("TERM=dumb is a terminal that cannot move its cursor")]
    Dumb,
}

/// Whether a terminal of this `TERM` understands escape sequences.
fn is_drawable(term: Option<&str>) -> Result<(), NotDrawable> {
    match term {
        None | Some("") => Err(NotDrawable::Unset),
        Some("dumb") => Err(NotDrawable::Dumb),
        Some(_) => Ok(()),
    }
}

/// Whether the terminal of this process understands escape sequences.
pub(super) fn drawable() -> Result<(), NotDrawable> {
    is_drawable(variable("TERM").as_deref())
}

/// Whether stderr is a terminal that can be drawn on.
pub(super) fn stderr_is_drawable() -> bool {
    std::io::stderr().is_terminal() && drawable().is_ok()
}

/// Whether colours are wanted: `NO_COLOR` says no.
pub(super) fn wants_colours() -> bool {
    variable("NO_COLOR").is_none()
}

/// A variable of the environment, unless it is empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_needs_a_name_that_is_not_dumb() {
        assert_eq!(is_drawable(None), Err(NotDrawable::Unset));
        assert_eq!(is_drawable(Some("")), Err(NotDrawable::Unset));
        assert_eq!(is_drawable(Some("dumb")), Err(NotDrawable::Dumb));
        assert_eq!(is_drawable(Some("linux")), Ok(()));
    }
}
