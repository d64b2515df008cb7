//! Runs a program that takes minutes. Each line that the program prints counts as progress.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use khor_patience::progress;
use parking_lot::Mutex;

use crate::{Wait, wait_until};

/// A running program, killed when dropped. Its lines are printed as they arrive.
#[derive(Debug)]
pub struct Streamed {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Streamed {
    /// Starts a program. `name` is its name in messages.
    pub fn start(name: &str, command: &mut Command) -> Self {
        progress(format!("starting {name}"));
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = Arc::default();
        let output: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|output| Box::new(output) as _),
            child.stderr.take().map(|output| Box::new(output) as _),
        ];
        let readers = output.into_iter().flatten().map(|output| read(output, &lines)).collect();
        Self { name: name.to_owned(), child, lines, readers }
    }

    /// Waits until the program prints this line.
    pub fn wait_for_line(&self, line: &str) {
        wait_until(&format!("the line {line:?} of {}", self.name), || {
            self.lines.lock().iter().any(|printed| printed == line)
        });
    }

    /// Waits until the program ends. Returns its exit status and all its lines.
    ///
    /// # Panics
    ///
    /// Panics if the program prints no line for a minute of machine time.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let after = |line: &str| Wait::new(&format!("a line of {} after: {line}", self.name));
        let (mut wait, mut seen) = (after("its start"), 0);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program's process state") {
                break status;
            }
            {
                let lines = self.lines.lock();
                if let Some(last) = lines.last()
                    && lines.len() > seen
                {
                    (seen, wait) = (lines.len(), after(last));
                }
            }
            wait.pause(String::new);
        };
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().expect("the thread that reads the program's lines"));
        let lines = self.lines.lock().join("\n");
        (status, lines)
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    // The harness attributes the lines that this thread prints to the test that started the thread.
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            println!("{line}");
            lines.lock().push(line);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_exit_status_are_returned() {
        let mut command = Command::new("sh");
        let streamed = Streamed::start("a shell", command.args(["-c", "echo one; echo two >&2; exit 3"]));
        let (status, lines) = streamed.wait();
        assert_eq!(status.code(), Some(3));
        assert!(lines.contains("one") && lines.contains("two"), "{lines}");
    }
}
