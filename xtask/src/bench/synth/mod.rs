//! Measures the speed of khor's synth compared with two other synthesisers, the speed of its
//! waveforms, and the time to render signals to a WAV file.
//!
//! For each number of voices, the players render in turn, so a busy machine slows all of them down
//! equally. The ratio of their speeds can therefore be compared between machines. The benchmark
//! measures processor time and counts instructions. khor plays its first preset. The other players
//! play the nearest equivalent, which their modules describe.

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
/// Number of rounds. In each round, every player renders once.
const ROUNDS: usize = 5;
/// The numbers of held voices to measure. For the last number, khor needs two synths, each with its
/// own effects.
const VOICES: [usize; 4] = [0, 8, 24, 48];
/// The number of voices for which the benchmark counts instructions, and for which the
/// specification promises a speed.
const FULL: usize = 24;
/// How many times the benchmark renders one hour of the demo.
const RENDERS: usize = 3;
const HOUR_S: f64 = 3600.0;

pub(super) fn measure() -> Result<Vec<Row>> {
    let folder = target().join("bench-synth");
    fs::create_dir_all(&folder).context("cannot create the folder for the other players' notes")?;
    let mut rows = beside(&folder);
    rows.extend(ALL.map(|player| instructions(player, &folder)));
    rows.extend(waves()?);
    rows.push(
        render()
            .unwrap_or_else(|error| Row::missing("time to render 1 h of demo to WAV", &format!("{error:#}"))),
    );
    Ok(rows)
}

/// The speeds of a player with a fixed number of voices: one for each round, or the reason why they
/// are missing.
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

    /// The row with khor's speed divided by this player's speed, for each round.
    fn ratio(&self, khor: &Self) -> Option<Row> {
        let (Ok(khor), Ok(other)) = (&khor.times_real_time, &self.times_real_time) else { return None };
        let ratios = khor.iter().zip(other).map(|(khor, other)| khor / other).collect();
        Some(Row::new(&format!("khor : {}, {} voices", self.player.name(), self.voices), "", ratios, None))
    }
}

/// The rows with the speeds of all players, and with khor's speed divided by the speed of each
/// other player.
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
        serde_json::from_str(printed.trim()).context("cannot read the output of synth_speed")?;
    runs.iter()
        .map(|run| {
            let name = run["name"].as_str().context("a run has no name")?;
            Ok(Row::new(name, "x", numbers(&run["times_real_time"])?, None))
        })
        .collect()
}

/// Measures how many seconds khor needs to render one hour of the demo. Rendering a capture takes
/// the same time, plus the time to read the file.
fn render() -> Result<Row> {
    let wav = target().join("bench.wav");
    let seconds: Result<Vec<f64>> = (0..RENDERS).map(|_| render_once(&wav)).collect();
    let removed = fs::remove_file(&wav);
    let seconds = seconds?;
    removed.context("cannot remove the WAV file")?;
    Ok(Row::new("time to render 1 h of demo to WAV", "s", seconds, Some(Promise::AtMost(20.0))))
}

fn render_once(wav: &Path) -> Result<f64> {
    let hour = HOUR_S.to_string();
    let args = ["render", "--demo", "--json", "--seconds", &hour, "--output", &wav.to_string_lossy()];
    let printed = output(&mut command(&release::program("khor"), args))?;
    let report: Value =
        serde_json::from_str(printed.trim()).context("cannot read the output of khor render")?;
    let speed = report["times_real_time"].as_f64().context("khor render printed no speed")?;
    Ok(report["seconds"].as_f64().context("khor render printed no length")? / speed)
}
