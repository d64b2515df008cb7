//! The thread that keeps musical time: asks the composer for notes a little ahead and hands them out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::state::{State, unix_ms};
use crate::{
    music::{Composer, Controls, CueKind, Instrument, Layer, Note, Position, Preset, Role, Settings},
    output::{audio, midi, osc},
    signal::Lanes,
    synth::Volume,
};

/// How often it wakes: twice per sample of the collector, several times within what is composed ahead.
const TICK: Duration = Duration::from_millis(10);
/// How far ahead notes are composed, seconds: long enough for every output to place them exactly, short
/// enough that what happens is heard on the next step.
const AHEAD_S: f64 = 0.050;
/// Time between two updates of MIDI controllers.
const CONTROLLERS_INTERVAL: Duration = Duration::from_millis(50);
/// A clock that is this far behind (the machine slept) skips what it missed, seconds.
const SKIP_S: f64 = 1.0;

/// What the conductor is told.
pub(super) enum Command {
    Settings(Settings),
    Preset(Box<Preset>),
    Cue(CueKind),
    Volume(Volume),
    Muted(bool),
    TestNote {
        midi: u8,
        velocity: f32,
        duration_s: f32,
    },
    /// Ends all that sounds; the music goes on.
    Panic,
    Stop,
}

/// Where notes go.
pub(super) struct Outputs {
    pub(super) player: audio::Player,
    pub(super) osc: osc::Output,
    pub(super) midi: midi::Output,
}

/// The conductor's thread, seen from outside.
#[derive(Clone)]
pub(super) struct Conductor {
    commands: Sender<Command>,
    /// Times the thread woke. It alone writes it.
    ticks: Arc<AtomicU64>,
}

impl Conductor {
    pub(super) fn start(
        outputs: Outputs,
        state: Arc<State>,
        settings: Settings,
        preset: Preset,
    ) -> std::io::Result<Self> {
        let (commands, receiver) = mpsc::channel();
        let mut desk = Desk::new(outputs, state, Composer::new(settings, preset));
        let ticks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ticks);
        thread::Builder::new().name("khor-music".into()).spawn(move || desk.run(&receiver, &counted))?;
        Ok(Self { commands, ticks })
    }

    /// Times the thread woke: a hundred a second while it is alive.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks.load(Relaxed)
    }

    pub(super) fn send(&self, command: Command) {
        // The thread ends only when it is told to stop.
        drop(self.commands.send(command));
    }
}

/// What the thread works with.
struct Desk {
    outputs: Outputs,
    state: Arc<State>,
    composer: Composer,
    /// The composer's count of preset changes when the player was given its timbres.
    patched: Option<u64>,
    /// The position that was shown last.
    shown: Option<Position>,
    start: Instant,
    fresh: Vec<Note>,
    sounding: Vec<Note>,
    /// The last stream that played, and whether it does.
    stream: Option<u32>,
    device_running: bool,
    controls: Option<Controls>,
    controllers_at: Instant,
}

impl Desk {
    fn new(outputs: Outputs, state: Arc<State>, composer: Composer) -> Self {
        let now = Instant::now();
        Self {
            outputs,
            state,
            composer,
            patched: None,
            shown: None,
            start: now,
            fresh: Vec::new(),
            sounding: Vec::new(),
            stream: None,
            device_running: false,
            controls: None,
            controllers_at: now,
        }
    }

    fn run(&mut self, commands: &Receiver<Command>, ticks: &AtomicU64) {
        let mut next = Instant::now();
        loop {
            loop {
                match commands.try_recv() {
                    Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return self.stop(),
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                }
            }
            self.tick();
            ticks.fetch_add(1, Relaxed);
            next = (next + TICK).max(Instant::now());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn now_s(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// When it is that musical time, seconds.
    fn instant(&self, time_s: f64) -> Instant {
        self.start + Duration::try_from_secs_f64(time_s).unwrap_or_default()
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Settings(settings) => self.composer.set_settings(settings),
            Command::Preset(preset) => self.composer.set_preset(*preset),
            Command::Cue(kind) => self.composer.cue(kind),
            Command::Volume(volume) => self.outputs.player.volume(volume),
            Command::Muted(muted) => self.outputs.player.muted(muted),
            Command::TestNote { midi, velocity, duration_s } => {
                let onset_s = self.now_s();
                self.hand_out(Note {
                    onset_s,
                    duration_s,
                    midi,
                    velocity,
                    pan: 0.0,
                    brightness: 0.0,
                    role: Role::Melody,
                    instrument: Instrument::Melody,
                    layer: Layer::Voices,
                    signal: None,
                });
            }
            Command::Panic => {
                self.outputs.player.all_notes_off();
                self.outputs.midi.send(midi::Event::Panic);
                self.sounding.clear();
            }
            Command::Stop => {}
        }
    }

    fn tick(&mut self) {
        let now_s = self.now_s();
        if now_s - self.composer.position().step_s > SKIP_S {
            self.composer.skip_to(now_s);
        }
        self.follow_device(now_s);
        let (lanes, cast) = {
            let seen = self.state.lock();
            (seen.lanes(), Arc::clone(&seen.staged.cast))
        };
        self.composer.set_cast(cast);
        let mut fresh = std::mem::take(&mut self.fresh);
        self.compose(now_s + AHEAD_S, &lanes, &mut fresh);
        self.follow_preset();
        for note in fresh.drain(..) {
            self.hand_out(note);
        }
        self.fresh = fresh;
        self.follow_controls(&lanes);
        self.sounding.retain(|note| end_s(note) > now_s);
        self.show_position();
    }

    /// Composes what begins before `until_s`, step by step: MIDI's clock is told of each.
    fn compose(&mut self, until_s: f64, lanes: &Lanes, fresh: &mut Vec<Note>) {
        loop {
            let Position { step, step_s, .. } = self.composer.position();
            if step_s >= until_s {
                return self.composer.advance(until_s, lanes, fresh);
            }
            self.composer.advance(step_s.next_up(), lanes, fresh);
            let at = self.instant(step_s);
            let length = self.instant(self.composer.position().step_s).duration_since(at);
            self.outputs.midi.send(midi::Event::Step { at, length, bar_start: step == 0 });
        }
    }

    /// Shows where the music is and what is heard: new with every step, and not more often.
    fn show_position(&mut self) {
        let position = self.composer.position();
        if self.shown.replace(position) == Some(position) {
            return;
        }
        let bar_s = position.step_s - f64::from(position.step) * self.composer.settings().step_s();
        let ago = Duration::try_from_secs_f64(self.now_s() - bar_s).unwrap_or_default();
        let sounding = self.composer.sounding();
        let mut seen = self.state.lock();
        seen.position = Some(position);
        seen.sounding = Some(sounding);
        seen.bar_ts_ms = unix_ms(SystemTime::now() - ago);
    }

    /// A device that comes back is given the notes that are still sounding: a pad may last for many bars.
    fn follow_device(&mut self, now_s: f64) {
        let stream = self.outputs.player.tick(now_s);
        // A stream that only paused still has its voices.
        let is_new = stream.is_some() && stream != self.stream;
        if is_new {
            for note in &self.sounding {
                let rest = Note { onset_s: now_s, duration_s: (end_s(note) - now_s) as f32, ..*note };
                self.outputs.player.note(&rest);
            }
        }
        self.device_running = stream.is_some();
        self.stream = stream.or(self.stream);
    }

    /// The composer changes presets on a bar line; the timbres follow it.
    fn follow_preset(&mut self) {
        let changes = Some(self.composer.preset_changes());
        if self.patched != changes {
            self.patched = changes;
            self.outputs.player.patches(self.composer.preset().patches());
        }
    }

    fn follow_controls(&mut self, lanes: &Lanes) {
        let controls = self.composer.controls();
        if self.controls.replace(controls) != Some(controls) {
            self.outputs.player.controls(controls);
        }
        if self.controllers_at.elapsed() >= CONTROLLERS_INTERVAL {
            self.controllers_at = Instant::now();
            self.outputs.midi.send(midi::Event::Levels(
                lanes.map(|lane| lane.map(|lane| lane.level)),
                controls.brightness,
            ));
        }
    }

    fn hand_out(&mut self, note: Note) {
        let now = Instant::now();
        let onset = self.instant(note.onset_s).max(now);
        let onset_wall = SystemTime::now() + (onset - now);
        if self.device_running {
            self.outputs.player.note(&note);
        }
        self.outputs.midi.send(midi::Event::Note(note, onset));
        self.outputs.osc.send(osc::Event::Note(note, onset_wall));
        self.state.lock().played(note, onset_wall);
        self.sounding.push(note);
    }

    fn stop(&mut self) {
        self.outputs.player.all_notes_off();
        self.outputs.midi.send(midi::Event::AllNotesOff);
    }
}

fn end_s(note: &Note) -> f64 {
    note.onset_s + f64::from(note.duration_s)
}
