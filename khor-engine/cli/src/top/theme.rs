//! Colours and characters of `khor top`, as similar to those of the page as the terminal allows.
//! Each family of signals has its own colour and shape, so users can also recognise it without
//! colours.

use khor_command_line::terminal::{env_variable, wants_colours};
use khor_signal::Family;
use ratatui::{
    style::{Color, Modifier, Style},
    symbols::{bar, border},
};

/// The style of less important text.
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// The style of the most important text.
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// The colours and characters that the terminal supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    /// Whether colours are used. The environment variable `NO_COLOR` disables them.
    pub(super) colours: bool,
    pub(super) symbols: &'static Symbols,
}

/// The characters that a frame uses.
#[derive(Debug)]
pub(super) struct Symbols {
    /// The shape that marks each family, in the order of [`FAMILIES`].
    families: [&'static str; 5],
    /// The symbol next to a soloist, which is a host that the voices play.
    pub(super) voices: &'static str,
    /// The symbol next to a silent host.
    pub(super) silent: &'static str,
    /// The character for the start of a note that belongs to no family.
    pub(super) note: &'static str,
    pub(super) cue: &'static str,
    /// The character that draws the length of a note, to the right of its start.
    pub(super) hold: &'static str,
    /// A bar line.
    pub(super) bar: &'static str,
    /// The characters of vertical bars. Their heights are from one eighth of a cell to a whole
    /// cell.
    pub(super) bars: bar::Set<'static>,
    /// The border of the help.
    pub(super) border: border::Set<'static>,
    /// A horizontal line.
    pub(super) rule: &'static str,
    /// The separator between the texts of the header.
    pub(super) between: &'static str,
}

/// The families of signals, in the order of the signals.
pub(super) const FAMILIES: [Family; 5] =
    [Family::Process, Family::Network, Family::Disk, Family::Memory, Family::Kernel];

/// Characters for UTF-8 terminals, with the same shapes as on the page.
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

/// Characters for the Linux console and for locales other than UTF-8.
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
    /// Selects the theme that the environment variables request.
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

    /// Returns the colour of a family. It is one of the terminal's 16 colours, because the user's
    /// own terminal theme keeps these readable.
    pub(super) fn family(self, family: Family) -> Style {
        self.coloured(match family {
            Family::Process => Color::Green,
            Family::Network => Color::Cyan,
            Family::Disk => Color::Yellow,
            Family::Memory => Color::Magenta,
            Family::Kernel => Color::Blue,
        })
    }

    /// The style for problems.
    pub(super) fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}
