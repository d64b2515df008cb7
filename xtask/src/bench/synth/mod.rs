//! Speed of the synth beside two others in the same run, of its waveforms, and of a render from
//! signals to a WAV file.
//!
//! The players take turns at each number of voices, so that a busy machine slows all of them. The
//! ratio of a round can be compared between machines. Processor time and instructions are measured.
//! khor plays its first preset, the others the nearest equivalent (their files describe it).

mod fluidsynth;
mod notes;
mod player;
mod scsynth;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use self::player::{ALL, Player};
use super::row::{Promise, Row, numbers};
use crate::{
    process::{command, output, target},
    release,
};

pub(super) const TITLE: &str = "synth and render, 48 kHz stereo";
/// Rounds in which each player plays once.
const ROUNDS: usize = 5;
/// Voices that are held. Of khor's the last are two synths', each with its effects.
const VOICES: [usize; 4] = [0, 8, 24, 48];
/// Voices at which promises are made and instructions are counted.
const FULL: usize = 24;
/// Times the hour is rendered.
const RENDERS: usize = 3;
const HOUR_S: f64 = 3600.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = target().join("bench-synth");
    fs::create_dir_all(&folder).context("making a folder for the others' notes")?;
    let mut rows = beside(&folder);
    rows.extend(ALL.map(|player| instructions(player, &folder)));
    rows.extend(waves()?);
    rows.push(
        render().unwrap_or_else(|error| Row::missing("an hour of the demo to WAV", &format!("{error:#}"))),
    );
    Ok(rows)
}

/// Speeds of a player with so many voices, one of each round; or why there are none.
struct Speeds {
    player: Player,
    voices: usize,
    times_real_time: Result<Vec<f64>, String>,
}

impl Speeds {
    fn name(&self) -> String {
        format!("{}, {} voices and effects", self.player.name(), self.voices)
    }

    fn round(&mut self, folder: &Path) {
        if let Ok(speeds) = &mut self.times_real_time {
            match self.player.times_real_time(self.voices, folder) {
                Ok(speed) => speeds.push(speed),
                Err(error) => self.times_real_time = Err(format!("{error:#}")),
            }
        }
    }

    fn row(&self) -> Row {
        let promised = self.player == Player::Khor && self.voices == FULL;
        match &self.times_real_time {
            Ok(speeds) => {
                Row::new(&self.name(), "x", speeds.clone(), promised.then_some(Promise::AtLeast(300.0)))
            }
            Err(reason) => Row::missing(&self.name(), reason),
        }
    }

    /// How much faster khor was, round by round.
    fn ratio(&self, khor: &Self) -> Option<Row> {
        let (Ok(khor), Ok(other)) = (&khor.times_real_time, &self.times_real_time) else { return None };
        let ratios = khor.iter().zip(other).map(|(khor, other)| khor / other).collect();
        Some(Row::new(&format!("khor : {}, {} voices", self.player.name(), self.voices), "", ratios, None))
    }
}

/// The speeds of all players, and how much faster khor is.
fn beside(folder: &Path) -> Vec<Row> {
    let speeds = |voices: usize| {
        ALL.map(|player| Speeds {
            player,
            voices,
            times_real_time: player.missing().map_or(Ok(Vec::new()), Err),
        })
    };
    let mut all = VOICES.map(speeds);
    for _ in 0..ROUNDS {
        all.as_flattened_mut().iter_mut().for_each(|speeds| speeds.round(folder));
    }
    let rows = all.as_flattened().iter().map(Speeds::row);
    let ratios = all.iter().flat_map(|[khor, others @ ..]| others.iter().filter_map(|it| it.ratio(khor)));
    rows.chain(ratios).collect()
}

fn instructions(player: Player, folder: &Path) -> Row {
    let name = format!("{}, {FULL} voices, a frame", player.name());
    let counted = match player.missing() {
        Some(reason) => Err(reason),
        None => player.instructions_per_frame(FULL, folder).map_err(|error| format!("{error:#}")),
    };
    match counted {
        Ok(instructions) => Row::new(&name, "ins.", vec![instructions], None),
        Err(reason) => Row::missing(&name, &reason),
    }
}

fn waves() -> Result<Vec<Row>> {
    let printed = output(&mut command(&release::program("examples/synth_speed"), ["--waves", "--json"]))?;
    let runs: Vec<Value> =
        serde_json::from_str(printed.trim()).context("reading what synth_speed printed")?;
    runs.iter()
        .map(|run| {
            let name = run["name"].as_str().context("a run without a name")?;
            Ok(Row::new(name, "x", numbers(&run["times_real_time"])?, None))
        })
        .collect()
}

/// Seconds for an hour of the demo. The work is that of a capture, except for reading the file.
fn render() -> Result<Row> {
    let wav = target().join("bench.wav");
    let seconds: Result<Vec<f64>> = (0..RENDERS).map(|_| render_once(&wav)).collect();
    let removed = fs::remove_file(&wav);
    let seconds = seconds?;
    removed.context("removing the WAV file")?;
    Ok(Row::new("an hour of the demo to WAV", "s", seconds, Some(Promise::AtMost(20.0))))
}

fn render_once(wav: &Path) -> Result<f64> {
    let hour = HOUR_S.to_string();
    let args = ["render", "--demo", "--json", "--seconds", &hour, "--output", &wav.to_string_lossy()];
    let printed = output(&mut command(&release::program("khor"), args))?;
    let report: Value = serde_json::from_str(printed.trim()).context("reading what khor render printed")?;
    let speed = report["times_real_time"].as_f64().context("no speed")?;
    Ok(report["seconds"].as_f64().context("no length")? / speed)
}
