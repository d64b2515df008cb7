//! `khor top`: the running engine, live in a terminal.
//!
//! [`feed`] receives events from the engine's API, [`state`] combines them, [`view`] draws the
//! state, and [`keys`] maps keys to actions. It uses the event stream, as the page does, so it
//! works wherever the API does. ratatui draws at most ten times a second, and only after a change.

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

/// Shortest time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// How long keys are waited for before the news are looked at.
const KEY_TIMEOUT: Duration = Duration::from_millis(50);
/// How often it is looked whether the terminal is still there.
const HANGUP_POLL_MS: u16 = 1000;

#[derive(Args, Debug)]
#[command(
    after_help = "Keys: q quit, m mute, s snooze, n and p next and previous preset, f hosts or signals, ? help."
)]
pub(super) struct TopArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Begin with the hosts of the site
    #[arg(long)]
    site: bool,
}

pub(super) fn run(args: &TopArgs) -> anyhow::Result<()> {
    if !std::io::stdout().is_terminal() || !stdin().is_terminal() {
        bail!("khor top needs a terminal, and this is none: khor status --json is for programs");
    }
    if let Err(reason) = check_drawable() {
        bail!("khor top cannot draw here: {reason}; use khor status, or set TERM to the terminal's type");
    }
    let feed = Feed::start(args.engine.client()?)?;
    let interrupt = Interrupt::install()?;
    end_with_terminal()?;
    let mut screen = Screen::open()?;
    run_screen(&mut screen.0, &feed, &interrupt, args.site)
}

/// Ends the process when its terminal is gone, for example after a lost connection without SIGHUP.
/// crossterm would otherwise read for ever, and there is no terminal to restore.
fn end_with_terminal() -> anyhow::Result<()> {
    let wait = || {
        let stdin = stdin();
        // poll reports a hang-up without being asked, but does not wake up in every case.
        let mut line = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        while !matches!(poll(&mut line, HANGUP_POLL_MS), Ok(1..)) {}
        std::process::exit(1);
    };
    thread::Builder::new().name("khor-top-line".into()).spawn(wait).context("starting a thread")?;
    Ok(())
}

/// The terminal while khor draws on it. Its old mode is restored when this is dropped, or by
/// ratatui's hook before a panic is printed.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> anyhow::Result<Self> {
        ratatui::try_init().map(Self).inspect_err(|_| ratatui::restore()).context("drawing on the terminal")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The hook of a panic has restored it, and has printed the panic since.
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
            terminal.draw(draw).context("drawing")?;
            (changed, drawn_at) = (false, Some(Instant::now()));
        }
        while event::poll(if changed { FRAME_INTERVAL / 10 } else { KEY_TIMEOUT })
            .context("waiting for keys")?
        {
            changed = true;
            if let Event::Key(key) = event::read().context("reading keys")? {
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
