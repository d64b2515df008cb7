//! `khor top`: shows the running engine live in a terminal, with keys to steer it.
//!
//! [`feed`] receives events from the engine's API, [`state`] combines them, [`view`] draws the
//! state, and [`keys`] maps keys to actions. `khor top` reads an event stream of the HTTP API, so
//! it also works with an engine on another machine. The screen changes at most ten times a second.

mod changes;
mod feed;
mod keys;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod view;

#[cfg(test)]
pub(super) use self::tests::recorded_health;

use std::{
    io::{IsTerminal, stdin},
    os::fd::AsFd,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use khor_command_line::{interrupt::Interrupt, terminal::check_drawable};
use nix::poll::{PollFd, PollFlags, poll};
use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{self, Event},
};

use self::{feed::Feed, keys::KeyCommand, state::State, theme::Theme};
use super::client::EngineAddress;

/// Shortest time between two frames on the screen.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum time to wait for a key. After this time, the engine's events are read.
const KEY_TIMEOUT: Duration = Duration::from_millis(50);
/// Time between two checks whether the terminal still exists, in milliseconds.
const HANGUP_POLL_MS: u16 = 1000;

#[derive(Args, Debug)]
#[command(
    after_help = "Keys: q quit, m mute, s snooze, n next preset, p previous preset, f hosts or signals, ? help."
)]
pub(super) struct TopArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Show the hosts of the site first
    #[arg(long)]
    site: bool,
}

pub(super) fn run(args: &TopArgs) -> anyhow::Result<()> {
    if !std::io::stdout().is_terminal() || !stdin().is_terminal() {
        bail!("khor top needs a terminal: in a script, use khor status --json");
    }
    if let Err(reason) = check_drawable() {
        bail!("khor top cannot draw on this terminal: {reason}; use khor status, or set TERM to its type");
    }
    let feed = Feed::start(args.engine.client()?)?;
    let interrupt = Interrupt::install()?;
    end_with_terminal()?;
    let mut screen = Screen::open()?;
    run_screen(&mut screen.0, &feed, &interrupt, args.site)
}

/// Starts a thread that ends the process when its terminal is gone, for example after an SSH
/// connection was lost and no SIGHUP arrived. Without this thread, crossterm would read forever.
fn end_with_terminal() -> anyhow::Result<()> {
    let wait = || {
        let stdin = stdin();
        // A waiting `poll` does not always notice a hang-up, so it is called again after a timeout.
        let mut line = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        while !matches!(poll(&mut line, HANGUP_POLL_MS), Ok(1..)) {}
        std::process::exit(1);
    };
    thread::Builder::new()
        .name("khor-top-line".into())
        .spawn(wait)
        .context("cannot start the thread khor-top-line")?;
    Ok(())
}

/// The terminal while khor draws on it. Dropping this value restores the terminal's previous mode.
/// After a panic, ratatui's hook restores the mode instead, before it prints the panic.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> anyhow::Result<Self> {
        ratatui::try_init()
            .map(Self)
            .inspect_err(|_| ratatui::restore())
            .context("cannot draw on the terminal")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After a panic, ratatui's hook has already restored the terminal's mode and printed the
        // panic.
        if !thread::panicking() {
            // Ignore the error, because the terminal may be closed.
            let _ = ratatui::try_restore();
        }
    }
}

/// Draws frames and handles keys until the user quits.
fn run_screen(
    terminal: &mut DefaultTerminal,
    feed: &Feed,
    interrupt: &Interrupt,
    hosts_first: bool,
) -> anyhow::Result<()> {
    let theme = Theme::from_environment();
    let mut state = State::new();
    state.hosts = hosts_first.then_some(true);
    let (mut changed, mut drawn_at) = (true, None::<Instant>);
    while !interrupt.is_raised() {
        if changed && drawn_at.is_none_or(|at| at.elapsed() >= FRAME_INTERVAL) {
            let draw = |frame: &mut Frame<'_>| view::draw(frame.area(), frame.buffer_mut(), &state, theme);
            terminal.draw(draw).context("cannot draw on the terminal")?;
            (changed, drawn_at) = (false, Some(Instant::now()));
        }
        while event::poll(if changed { FRAME_INTERVAL / 10 } else { KEY_TIMEOUT })
            .context("cannot wait for keys")?
        {
            changed = true;
            if let Event::Key(key) = event::read().context("cannot read keys")? {
                match keys::command(key, &state) {
                    Some(KeyCommand::Quit) => return Ok(()),
                    Some(KeyCommand::ToggleHelp) => state.help = !state.help,
                    Some(KeyCommand::ToggleHosts) => state.hosts = Some(!state.shows_hosts()),
                    Some(KeyCommand::CloseHelp) => state.help = false,
                    Some(KeyCommand::Action(action)) => feed.send(action),
                    None => {}
                }
            }
        }
        for event in feed.events() {
            state.apply(event);
            changed = true;
        }
    }
    Ok(())
}
