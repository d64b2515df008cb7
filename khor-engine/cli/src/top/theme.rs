//! Colours and characters, as near to the page's look as the terminal allows. A family has a colour
//! and a shape, so that colour is never the only sign.

use khor_command_line::terminal::{env_variable, wants_colours};
use khor_signal::Family;
use ratatui::{
    style::{Color, Modifier, Style},
    symbols::{bar, border},
};

/// What is read last, and first.
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// What this terminal can show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    /// Whether there are colours: `NO_COLOR` takes them away.
    pub(super) colours: bool,
    /// Its characters.
    pub(super) symbols: &'static Symbols,
}

/// Characters.
#[derive(Debug)]
pub(super) struct Symbols {
    /// A family each, in the order of [`FAMILIES`].
    families: [&'static str; 5],
    /// The signs for hosts with the voices and for silent hosts.
    pub(super) voices: &'static str,
    pub(super) silent: &'static str,
    /// A note of no family, a cue.
    pub(super) note: &'static str,
    pub(super) cue: &'static str,
    /// A note that goes on, a bar line.
    pub(super) hold: &'static str,
    pub(super) bar: &'static str,
    /// Bars from one eighth of a cell to a whole one, boxes, rules, what stands between words.
    pub(super) bars: bar::Set<'static>,
    pub(super) border: border::Set<'static>,
    pub(super) rule: &'static str,
    pub(super) between: &'static str,
}

/// The families, in the order of the signals.
pub(super) const FAMILIES: [Family; 5] =
    [Family::Process, Family::Network, Family::Disk, Family::Memory, Family::Kernel];

/// Shapes as on the page.
pub(super) const UNICODE: Symbols = Symbols {
    families: ["●", "◆", "■", "▲", "⬢"],
    voices: "♪",
    silent: "×",
    note: "━",
    cue: "▼",
    hold: "─",
    bar: "┊",
    bars: bar::NINE_LEVELS,
    border: border::PLAIN,
    rule: "─",
    between: "·",
};

/// For the Linux console and for locales that are not UTF-8.
pub(super) const ASCII: Symbols = Symbols {
    families: ["o", "*", "#", "^", "@"],
    voices: ">",
    silent: "x",
    note: "=",
    cue: "!",
    hold: "-",
    bar: ":",
    bars: bar::Set {
        empty: " ",
        one_eighth: "_",
        one_quarter: ".",
        three_eighths: ":",
        half: "-",
        five_eighths: "=",
        three_quarters: "+",
        seven_eighths: "*",
        full: "#",
    },
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    rule: "-",
    between: "-",
};

impl Theme {
    /// The theme for the environment's variables.
    pub(super) fn from_environment() -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env_variable).unwrap_or_default();
        let utf8 = ["utf-8", "utf8"].iter().any(|name| locale.to_lowercase().contains(name));
        let console = env_variable("TERM").is_some_and(|term| term == "linux");
        let symbols = if utf8 && !console { &UNICODE } else { &ASCII };
        Self { colours: wants_colours(), symbols }
    }

    /// The family's shape.
    pub(super) fn shape(self, family: Family) -> &'static str {
        self.symbols.families[FAMILIES.iter().position(|other| *other == family).unwrap_or(0)]
    }

    /// The family's colour. The terminal's own sixteen, which its owner chose to be readable.
    pub(super) fn family(self, family: Family) -> Style {
        self.coloured(match family {
            Family::Process => Color::Green,
            Family::Network => Color::Cyan,
            Family::Disk => Color::Yellow,
            Family::Memory => Color::Magenta,
            Family::Kernel => Color::Blue,
        })
    }

    /// Trouble.
    pub(super) fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}
