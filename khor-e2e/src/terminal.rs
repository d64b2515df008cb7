//! A terminal without a window: runs a program in it, presses keys and reads the screen.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZeroU16,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use khor_patience::progress;
use nix::{
    poll::{PollFd, PollFlags, poll},
    pty::{Winsize, openpty},
    sys::termios::{Termios, tcgetattr},
};
use parking_lot::{Mutex, MutexGuard};

use crate::{Wait, wait_for};

/// How often the thread that reads looks whether it is over.
const LOOK_MS: u16 = 50;

/// Runs a program, prints how it ended, and stays. The terminal's mode is checked while its session
/// lives, because the kernel resets it then.
const SHELL: &str = "\"$@\"; printf 'ended with %s.\\n' $?; read end";

/// A program in a terminal of its own; killed when dropped.
pub struct Terminal {
    shell: Child,
    /// Where a person would sit.
    keyboard: File,
    /// The program's end, kept open so that its mode can be read after the program.
    line: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<vt100::Parser>>,
    /// The program printed an escape sequence.
    has_escapes: Arc<AtomicBool>,
    /// Tells the reading thread to end. The terminal is gone only when nothing holds its end.
    is_over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs a program in a terminal of so many columns and rows.
    pub fn run(program: &Path, arguments: &[&str], size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        progress(format!("starting {} in a terminal", program.display()));
        let (columns, rows) = size;
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a terminal");
        // What is inherited would keep the terminal alive after us; what is cloned is not.
        let cloned = |end: OwnedFd| end.try_clone().expect("another end");
        let (keyboard, line) = (File::from(cloned(pair.master)), cloned(pair.slave));
        let before = tcgetattr(&line).expect("its mode");
        let end = || line.try_clone().expect("another end");
        // It becomes the program's controlling terminal instead of the test's own.
        let shell = Command::new("setsid")
            .args(["--ctty", "sh", "-c", SHELL, "sh"])
            .arg(program)
            .args(arguments)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            // A backtrace would fill the screen.
            .env("RUST_BACKTRACE", "0")
            .envs(environment.iter().copied())
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("setsid");
        let size = |cells| NonZeroU16::new(cells).expect("a size");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)));
        let (mut output, shown) = (keyboard.try_clone().expect("another end"), Arc::clone(&screen));
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let has_escapes = Arc::new(AtomicBool::new(false));
        let escaped = Arc::clone(&has_escapes);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !over.load(Relaxed) {
                let mut line = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
                if poll(&mut line, LOOK_MS).is_ok_and(|told| told == 0) {
                    continue;
                }
                let Ok(read @ 1..) = output.read(&mut bytes) else { break };
                if bytes[..read].contains(&0x1b) {
                    escaped.store(true, Relaxed);
                }
                shown.lock().process(&bytes[..read]);
            }
        });
        Self { shell, keyboard, line, before, screen, has_escapes, is_over, reader: Some(reader) }
    }

    /// The program's process.
    pub fn pid(&self) -> i32 {
        let shell = self.shell.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.expect("the shell's children").trim().parse().expect("one child")
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typing");
    }

    /// What is read on it.
    pub fn text(&self) -> String {
        self.parser().screen().contents()
    }

    /// Whether any of it has a colour.
    pub fn is_coloured(&self) -> bool {
        let parser = self.parser();
        let screen = parser.screen();
        let (rows, columns) = screen.size();
        let mut cells = (0..rows.get())
            .flat_map(|row| (0..columns.get()).map(move |column| (row, column)))
            .filter_map(|(row, column)| screen.cell(row, column));
        cells.any(|cell| {
            [cell.fgcolor(), cell.bgcolor()].iter().any(|colour| *colour != vt100::Color::Default)
        })
    }

    /// Whether the program has printed an escape sequence.
    pub fn has_escapes(&self) -> bool {
        self.has_escapes.load(Relaxed)
    }

    /// Waits until it shows all of these.
    pub fn wait_for(&self, words: &[&str]) {
        self.wait_until(&format!("{words:?}"), |text| words.iter().all(|word| text.contains(word)));
    }

    /// Waits until it does not show this any more.
    pub fn wait_without(&self, word: &str) {
        self.wait_until(&format!("{word:?} to go"), |text| !text.contains(word));
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let mut wait = Wait::new(what);
        while !holds(&self.text()) {
            wait.pause(|| format!("on the screen:\n{}", self.text()));
        }
    }

    /// Waits until the program ends. Returns its code, and whether the terminal's mode is as
    /// before.
    pub fn wait(&self) -> (i32, bool) {
        let code = wait_for("the program to end", || self.ended());
        let mode = tcgetattr(&self.line).expect("its mode");
        let parser = self.parser();
        let screen = parser.screen();
        (code, mode == self.before && !screen.alternate_screen() && !screen.hide_cursor())
    }

    /// The exit code that the shell printed.
    fn ended(&self) -> Option<i32> {
        let text = self.text();
        let (_, code) = text.rsplit_once("ended with ")?;
        code.split_once('.')?.0.parse().ok()
    }

    fn parser(&self) -> MutexGuard<'_, vt100::Parser> {
        self.screen.lock()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What runs in it gets the terminal's hangup.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        self.is_over.store(true, Relaxed);
        let _ = self.reader.take().map(JoinHandle::join);
    }
}
