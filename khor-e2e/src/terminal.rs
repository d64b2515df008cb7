//! Runs a program in a pseudo-terminal, types keys and reads the screen.

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

/// How often the reading thread checks whether it must end: the time between two checks, in
/// milliseconds.
const LOOK_MS: u16 = 50;

/// Shell script that runs a program, prints its exit code, and waits. The test checks the
/// terminal's mode while this shell lives, because the kernel resets the mode at the end of the
/// session.
const SHELL: &str = "\"$@\"; printf 'ended with %s.\\n' $?; read end";

/// A program in its own terminal; killed when dropped.
pub struct Terminal {
    shell: Child,
    /// The user's end of the terminal. Keys are written to it, and the program's output is read
    /// from it.
    keyboard: File,
    /// The program's end of the terminal. It stays open so that its mode can be read after the
    /// program has ended.
    line: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Whether the program has printed an escape sequence.
    has_escapes: Arc<AtomicBool>,
    /// Makes the reading thread end. The thread would not end by itself, because the terminal stays
    /// open.
    is_over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs a program in a terminal with a `size` of columns and rows, and additional environment
    /// variables.
    pub fn run(program: &Path, arguments: &[&str], size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        progress(format!("starting {} in a terminal", program.display()));
        let (columns, rows) = size;
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("opening a terminal");
        // Clone the descriptors that `openpty` returns. Child processes would inherit the original
        // descriptors, and so keep the terminal open. They do not inherit the clones.
        let cloned = |end: OwnedFd| end.try_clone().expect("cloning a terminal descriptor");
        let (keyboard, line) = (File::from(cloned(pair.master)), cloned(pair.slave));
        let before = tcgetattr(&line).expect("the terminal's mode");
        let end = || line.try_clone().expect("cloning a terminal descriptor");
        // Use `setsid --ctty`, so that this terminal becomes the program's controlling terminal.
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
            .expect("starting setsid");
        let size = |cells| NonZeroU16::new(cells).expect("a size above 0");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)));
        let (mut output, shown) =
            (keyboard.try_clone().expect("cloning a terminal descriptor"), Arc::clone(&screen));
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let has_escapes = Arc::new(AtomicBool::new(false));
        let escaped = Arc::clone(&has_escapes);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !over.load(Relaxed) {
                let mut line = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
                if poll(&mut line, LOOK_MS).is_ok_and(|ready| ready == 0) {
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

    /// The program's process ID.
    pub fn pid(&self) -> i32 {
        let shell = self.shell.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.expect("the children of the shell").trim().parse().expect("one child of the shell")
    }

    /// Types these keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("writing to the terminal");
    }

    /// The text on the screen.
    pub fn text(&self) -> String {
        self.parser().screen().contents()
    }

    /// Whether any cell of the screen has a colour.
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

    /// Waits until the screen shows all of `words`.
    pub fn wait_for(&self, words: &[&str]) {
        self.wait_until(&format!("{words:?} on the screen"), |text| {
            words.iter().all(|word| text.contains(word))
        });
    }

    /// Waits until the screen no longer shows `word`.
    pub fn wait_without(&self, word: &str) {
        self.wait_until(&format!("{word:?} to disappear from the screen"), |text| !text.contains(word));
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let mut wait = Wait::new(what);
        while !holds(&self.text()) {
            wait.pause(|| format!("the screen shows:\n{}", self.text()));
        }
    }

    /// Waits until the program ends. Returns its exit code, and whether the program has restored
    /// the terminal's mode.
    pub fn wait(&self) -> (i32, bool) {
        let code = wait_for("the program to end", || self.ended());
        let mode = tcgetattr(&self.line).expect("the terminal's mode");
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
        // When the shell ends, the kernel hangs up the terminal, which ends the program.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        self.is_over.store(true, Relaxed);
        let _ = self.reader.take().map(JoinHandle::join);
    }
}
