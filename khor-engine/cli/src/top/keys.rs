//! What the keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{feed::Wish, state::State};

/// How long `s` silences.
const SNOOZE_MIN: u32 = 15;

/// The keys, as they are explained.
pub(super) const KEYS: [(&str, &str, &str); 7] = [
    ("q", "quit", "quit; so do Esc and Ctrl-C"),
    ("m", "mute", "mute; or end the mute by hand"),
    ("s", "snooze", "silence for 15 minutes, or the end of it"),
    ("n", "next", "the next preset"),
    ("p", "previous", "the preset before"),
    ("f", "fleet", "the hosts of a site, or the signals"),
    ("?", "help", "these words, or away with them"),
];

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Quit,
    ToggleHelp,
    ToggleHosts,
    CloseHelp,
    Of(Wish),
}

/// `None` for a key that does nothing.
pub(super) fn asked(key: KeyEvent, state: &State) -> Option<Asked> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Asked::Quit);
    }
    match key.code {
        KeyCode::Esc if state.help => Some(Asked::CloseHelp),
        KeyCode::Esc | KeyCode::Char('q') => Some(Asked::Quit),
        KeyCode::Char('?' | 'h') => Some(Asked::ToggleHelp),
        KeyCode::Char('f') => Some(Asked::ToggleHosts),
        KeyCode::Char('m') => Some(Asked::Of(Wish::ToggleMute)),
        KeyCode::Char('s') => {
            let minutes = if state.is_snoozed() { 0 } else { SNOOZE_MIN };
            Some(Asked::Of(Wish::Snooze { minutes }))
        }
        KeyCode::Char('n') => Some(Asked::Of(Wish::NextPreset)),
        KeyCode::Char('p') => Some(Asked::Of(Wish::PreviousPreset)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, state: &State) -> Option<Asked> {
        asked(KeyEvent::new(code, KeyModifiers::NONE), state)
    }

    #[test]
    fn there_is_always_a_way_out() {
        let mut state = State::new();
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for help in [false, true] {
            state.help = help;
            assert_eq!(asked(control_c, &state), Some(Asked::Quit));
            assert_eq!(pressed(KeyCode::Char('q'), &state), Some(Asked::Quit));
        }
        assert_eq!(pressed(KeyCode::Esc, &state), Some(Asked::CloseHelp), "one thing at a time");
        state.help = false;
        assert_eq!(pressed(KeyCode::Esc, &state), Some(Asked::Quit));
    }

    #[test]
    fn every_key_that_is_explained_does_something() {
        for (key, ..) in KEYS {
            let code = KeyCode::Char(key.chars().next().unwrap());
            assert!(pressed(code, &State::new()).is_some(), "{key}");
        }
        assert_eq!(pressed(KeyCode::Char('x'), &State::new()), None);
    }
}
