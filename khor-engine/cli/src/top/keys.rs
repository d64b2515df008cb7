//! Maps the keys of `khor top` to commands.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{feed::Action, state::State};

/// Length of the snooze that the key `s` starts, in minutes.
const SNOOZE_MIN: u32 = 15;

/// Each key, with its word in the footer and its description in the help.
pub(super) const KEYS: [(&str, &str, &str); 7] = [
    ("q", "quit", "quit (also Esc and Ctrl-C)"),
    ("m", "mute", "mute, or cancel a manual mute"),
    ("s", "snooze", "mute for 15 minutes, or end the snooze"),
    ("n", "next", "select the next preset"),
    ("p", "previous", "select the previous preset"),
    ("f", "fleet", "show the hosts of a site, or the signals"),
    ("?", "help", "show or hide this help"),
];

/// A command that a key runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyCommand {
    Quit,
    ToggleHelp,
    ToggleHosts,
    CloseHelp,
    Action(Action),
}

/// Returns the command of a key, or `None` if the key has no command.
pub(super) fn command(key: KeyEvent, state: &State) -> Option<KeyCommand> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(KeyCommand::Quit);
    }
    match key.code {
        KeyCode::Esc if state.help => Some(KeyCommand::CloseHelp),
        KeyCode::Esc | KeyCode::Char('q') => Some(KeyCommand::Quit),
        KeyCode::Char('?' | 'h') => Some(KeyCommand::ToggleHelp),
        KeyCode::Char('f') => Some(KeyCommand::ToggleHosts),
        KeyCode::Char('m') => Some(KeyCommand::Action(Action::ToggleMute)),
        KeyCode::Char('s') => {
            let minutes = if state.is_snoozed() { 0 } else { SNOOZE_MIN };
            Some(KeyCommand::Action(Action::Snooze { minutes }))
        }
        KeyCode::Char('n') => Some(KeyCommand::Action(Action::NextPreset)),
        KeyCode::Char('p') => Some(KeyCommand::Action(Action::PreviousPreset)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, state: &State) -> Option<KeyCommand> {
        command(KeyEvent::new(code, KeyModifiers::NONE), state)
    }

    #[test]
    fn quit_keys_always_work() {
        let mut state = State::new();
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for help in [false, true] {
            state.help = help;
            assert_eq!(command(control_c, &state), Some(KeyCommand::Quit));
            assert_eq!(pressed(KeyCode::Char('q'), &state), Some(KeyCommand::Quit));
        }
        assert_eq!(pressed(KeyCode::Esc, &state), Some(KeyCommand::CloseHelp), "Esc closes the help first");
        state.help = false;
        assert_eq!(pressed(KeyCode::Esc, &state), Some(KeyCommand::Quit));
    }

    #[test]
    fn explained_keys_have_a_command() {
        for (key, ..) in KEYS {
            let code = KeyCode::Char(key.chars().next().unwrap());
            assert!(pressed(code, &State::new()).is_some(), "{key}");
        }
        assert_eq!(pressed(KeyCode::Char('x'), &State::new()), None);
    }
}
