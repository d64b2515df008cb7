//! The measured players: khor's synth and two other synthesisers. Each is a program that renders
//! for a given time.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use super::{fluidsynth, notes::RATE_HZ, scsynth};
use crate::{
    process::{command, is_there, output},
    release,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Player {
    Khor,
    Scsynth,
    FluidSynth,
}

pub(super) const ALL: [Player; 3] = [Player::Khor, Player::Scsynth, Player::FluidSynth];

impl Player {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Khor => "khor",
            Self::Scsynth => "scsynth",
            Self::FluidSynth => "FluidSynth",
        }
    }

    /// The reason why the player cannot run on this machine, if there is one.
    pub(super) fn missing(self) -> Option<String> {
        let (program, debian) = match self {
            Self::Khor => return None,
            Self::Scsynth => (scsynth::PROGRAM, scsynth::DEBIAN),
            Self::FluidSynth => (fluidsynth::PROGRAM, fluidsynth::DEBIAN),
        };
        (!is_there(program)).then(|| format!("no {program} ({debian})"))
    }

    /// A command that renders `voices` held voices with effects. The rendered sound lasts
    /// `seconds`.
    pub(super) fn render(self, voices: usize, seconds: u32, folder: &Path) -> Result<Command> {
        match self {
            Self::Khor => {
                let speed = release::program("examples/synth_speed");
                Ok(command(&speed, ["--voices", &voices.to_string(), "--seconds", &seconds.to_string()]))
            }
            Self::Scsynth => scsynth::render(voices, seconds, folder),
            Self::FluidSynth => fluidsynth::render(voices, seconds, folder),
        }
    }

    /// The player's speed as a multiple of real time. The speed is based on processor time, so
    /// other programs do not affect it. The function compares a long render with a short one, so
    /// the start-up time cancels out.
    pub(super) fn times_real_time(self, voices: usize, folder: &Path) -> Result<f64> {
        const SHORT_S: u32 = 10;
        const LONG_S: u32 = 40;
        let long_s = cpu_s(&mut self.render(voices, LONG_S, folder)?)?;
        let more_s = long_s - cpu_s(&mut self.render(voices, SHORT_S, folder)?)?;
        ensure!(more_s > 0.0, "{}: the long render took no longer than the short one", self.name());
        Ok(f64::from(LONG_S - SHORT_S) / more_s)
    }

    /// Instructions per audio frame for this number of voices with effects, counted by callgrind.
    pub(super) fn instructions_per_frame(self, voices: usize, folder: &Path) -> Result<f64> {
        const SHORT_S: u32 = 1;
        const LONG_S: u32 = 3;
        let long = instructions(&self.render(voices, LONG_S, folder)?)?;
        let more = long - instructions(&self.render(voices, SHORT_S, folder)?)?;
        Ok(more / f64::from((LONG_S - SHORT_S) * RATE_HZ))
    }
}

/// Processor time that a program uses from its start to its end, without time in the kernel.
fn cpu_s(program: &mut Command) -> Result<f64> {
    let children_s = || -> Result<f64> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot read the processor time")?;
        Ok(usage.user_time().num_microseconds() as f64 * 1e-6)
    };
    let before_s = children_s()?;
    output(program)?;
    Ok(children_s()? - before_s)
}

/// Number of instructions that a program executes from its start to its end.
fn instructions(program: &Command) -> Result<f64> {
    if !is_there("valgrind") {
        bail!("valgrind is not installed");
    }
    let mut valgrind = command("valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(program.get_program()).args(program.get_args());
    let ended = valgrind.stdin(Stdio::null()).output().context("cannot start valgrind")?;
    let log = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{}", valgrind_error(&log));
    collected(&log).context("valgrind counted nothing")
}

/// The reason why valgrind failed, in one line. For example, a newer compiler may emit an
/// instruction that valgrind does not support.
fn valgrind_error(log: &str) -> String {
    let known = |line: &&str| line.contains("unhandled instruction") || line.contains("terminating");
    format!("valgrind: {}", log.lines().find(known).unwrap_or("it failed"))
}

/// Reads the number of instructions from a line such as `==123== Collected : 456`.
fn collected(log: &str) -> Option<f64> {
    log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_is_read_from_callgrinds_output() {
        let log = "==7== Events    : Ir\n==7== Collected : 226543\n==7== \n";
        assert_eq!(collected(log), Some(226_543.0));
        assert_eq!(collected("==7== "), None);
        let unknown = "==7== Command: x\nvex amd64->IR: unhandled instruction bytes: 0xC5 0x79\n==7== more";
        assert_eq!(
            valgrind_error(unknown),
            "valgrind: vex amd64->IR: unhandled instruction bytes: 0xC5 0x79"
        );
    }
}
