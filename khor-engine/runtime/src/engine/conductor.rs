//! The conductor is the thread that composes the notes. It sends them to the outputs 50 ms before
//! their onsets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use khor_music::{Composer, Controls, CueSound, Instrument, Layer, Note, Position, Preset, Role, Settings};
use khor_output::{audio, midi, osc};
use khor_signal::Lanes;
use khor_synth::Volume;
use khor_system::clock::unix_ms;

use super::state::SharedState;

/// Time between two wake-ups of the thread. By default, the collector sends a
/// sample at every second wake-up.
const TICK: Duration = Duration::from_millis(10);
/// The conductor composes each note this many seconds before its onset. The outputs need this time
/// to play the note exactly at its onset. The time is so short that an event sounds on the next
/// step.
const AHEAD_S: f64 = 0.050;
/// Shortest time between two updates of the MIDI controllers.
const CONTROLLERS_INTERVAL: Duration = Duration::from_millis(50);
/// After a pause of at most this many seconds, the thread catches up. After a longer pause, for
/// example because the machine was suspended, the music skips the missed steps.
const SKIP_S: f64 = 1.0;
/// Maximum lateness of a note, in seconds. A note that is later is dropped. Notes are late if the
/// machine does not run the thread in time. Several late notes at once would sound like one loud
/// event. The limit is shorter than most steps, so late notes of two steps rarely sound at once.
const LATE_S: f64 = 0.080;

pub(super) enum Command {
    Settings(Settings),
    Preset(Box<Preset>),
    Cue(CueSound),
    Volume(Volume),
    Muted(bool),
    TestNote {
        midi: u8,
        velocity: f32,
        duration_s: f32,
    },
    /// Ends all sounding notes. The music continues.
    Panic,
    /// Ends all notes and stops the thread.
    Stop,
}

/// The outputs that receive the notes.
pub(super) struct Outputs {
    pub(super) player: audio::Player,
    pub(super) osc: osc::OscOutput,
    pub(super) midi: midi::MidiOutput,
}

/// A handle to the conductor's thread.
#[derive(Clone)]
pub(super) struct Conductor {
    commands: Sender<Command>,
    /// Number of wake-ups. The thread writes it, and [`Self::ticks`] reads it.
    ticks: Arc<AtomicU64>,
}

impl Conductor {
    pub(super) fn start(
        outputs: Outputs,
        state: Arc<SharedState>,
        settings: Settings,
        preset: Preset,
    ) -> std::io::Result<Self> {
        let (commands, receiver) = mpsc::channel();
        let mut thread =
            MusicThread::new(outputs, state, Composer::new(settings, preset), Box::new(Instant::now));
        let ticks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ticks);
        thread::Builder::new().name("khor-music".into()).spawn(move || thread.run(&receiver, &counted))?;
        Ok(Self { commands, ticks })
    }

    /// Returns the number of wake-ups so far. There are a hundred per second.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks.load(Relaxed)
    }

    pub(super) fn send(&self, command: Command) {
        // Ignore the error: sending fails only after the stop command has ended the thread.
        drop(self.commands.send(command));
    }
}

/// The clock of the thread. A test passes a clock that it controls.
type Clock = Box<dyn Fn() -> Instant + Send>;

struct MusicThread {
    outputs: Outputs,
    state: Arc<SharedState>,
    composer: Composer,
    /// Number of preset changes that the composer had made when the player last received timbres.
    /// If the composer's number is different now, the player needs new timbres.
    patched: Option<u64>,
    /// The position in the music that was last published.
    published: Option<Position>,
    clock: Clock,
    /// The instant at which the musical time is 0.
    start: Instant,
    /// A buffer for the notes of the current wake-up. It is a field so that its memory is reused.
    fresh: Vec<Note>,
    /// Notes that have not ended yet.
    sounding: Vec<Note>,
    /// The sound stream that was last used.
    stream: Option<u32>,
    /// Whether a sound stream is playing now.
    device_running: bool,
    controls: Option<Controls>,
    /// When values were last sent to the MIDI controllers.
    controllers_at: Instant,
}

impl MusicThread {
    fn new(outputs: Outputs, state: Arc<SharedState>, composer: Composer, clock: Clock) -> Self {
        let now = clock();
        Self {
            outputs,
            state,
            composer,
            patched: None,
            published: None,
            clock,
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
                    Ok(command) => self.execute(command),
                    Err(TryRecvError::Empty) => break,
                }
            }
            self.tick();
            ticks.fetch_add(1, Relaxed);
            next = (next + TICK).max(Instant::now());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn now(&self) -> Instant {
        (self.clock)()
    }

    fn now_s(&self) -> f64 {
        self.now().duration_since(self.start).as_secs_f64()
    }

    /// Converts a musical time, in seconds since `start`, to an instant.
    fn instant(&self, time_s: f64) -> Instant {
        self.start + Duration::try_from_secs_f64(time_s).unwrap_or_default()
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Settings(settings) => self.composer.set_settings(settings),
            Command::Preset(preset) => self.composer.set_preset(*preset),
            Command::Cue(kind) => self.composer.cue(kind),
            Command::Volume(volume) => self.outputs.player.set_volume(volume),
            Command::Muted(muted) => self.outputs.player.set_muted(muted),
            Command::TestNote { midi, velocity, duration_s } => {
                let onset_s = self.now_s();
                self.send_note(Note {
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
                self.outputs.midi.send(midi::MidiEvent::Panic);
                self.sounding.clear();
            }
            Command::Stop => {}
        }
    }

    /// Does the work of one wake-up.
    fn tick(&mut self) {
        let now_s = self.now_s();
        if now_s - self.composer.position().step_s > SKIP_S {
            self.composer.skip_to(now_s);
        }
        self.follow_device(now_s);
        let (lanes, catalogue, cast) = {
            let state = self.state.lock();
            (state.lanes(), state.catalogue.clone(), Arc::clone(&state.plan.cast))
        };
        self.composer.set_catalogue(&catalogue);
        self.composer.set_cast(cast);
        let mut fresh = std::mem::take(&mut self.fresh);
        self.compose(now_s + AHEAD_S, &lanes, &mut fresh);
        self.follow_preset();
        self.send_notes(&fresh);
        fresh.clear();
        self.fresh = fresh;
        self.follow_controls(&lanes);
        self.sounding.retain(|note| end_s(note) > now_s);
        self.publish_position();
    }

    /// Composes the notes of the steps that begin before `until_s`. Sends the start of each step to
    /// the MIDI output, as its clock.
    fn compose(&mut self, until_s: f64, lanes: &Lanes, fresh: &mut Vec<Note>) {
        loop {
            let Position { step, step_s, .. } = self.composer.position();
            if step_s >= until_s {
                return self.composer.advance(until_s, lanes, fresh);
            }
            self.composer.advance(step_s.next_up(), lanes, fresh);
            let at = self.instant(step_s);
            let length = self.instant(self.composer.position().step_s).duration_since(at);
            self.outputs.midi.send(midi::MidiEvent::Step { at, length, bar_start: step == 0 });
        }
    }

    /// When a step begins, publishes the position and the sounding music.
    fn publish_position(&mut self) {
        let position = self.composer.position();
        if self.published.replace(position) == Some(position) {
            return;
        }
        let bar_s = position.step_s - f64::from(position.step) * self.composer.settings().step_s();
        // The bar may begin in the future, because notes are composed ahead of the clock.
        let ahead_s = bar_s - self.now_s();
        let distance = Duration::try_from_secs_f64(ahead_s.abs()).unwrap_or_default();
        let now = SystemTime::now();
        let bar_start = if ahead_s > 0.0 { now + distance } else { now - distance };
        let sounding = self.composer.snapshot();
        let mut state = self.state.lock();
        state.position = Some(position);
        state.sounding = Some(sounding);
        state.bar_ts_ms = unix_ms(bar_start);
    }

    /// Sends the sounding notes to a new sound stream, so that it plays the pad at once.
    fn follow_device(&mut self, now_s: f64) {
        let stream = self.outputs.player.tick(now_s);
        // Do not send the notes again to a stream that was only paused, because it still has them.
        let is_new = stream.is_some() && stream != self.stream;
        if is_new {
            for note in &self.sounding {
                let rest = Note { onset_s: now_s, duration_s: (end_s(note) - now_s) as f32, ..*note };
                self.outputs.player.schedule_note(&rest);
            }
        }
        self.device_running = stream.is_some();
        self.stream = stream.or(self.stream);
    }

    /// Sends the timbres of a new preset to the player. The composer changes presets at the start
    /// of a bar.
    fn follow_preset(&mut self) {
        let changes = Some(self.composer.preset_changes());
        if self.patched != changes {
            self.patched = changes;
            self.outputs.player.set_patches(self.composer.preset().patches());
        }
    }

    /// Sends changed controls to the player, and sends the levels as MIDI controller messages.
    fn follow_controls(&mut self, lanes: &Lanes) {
        let controls = self.composer.controls();
        if self.controls.replace(controls) != Some(controls) {
            self.outputs.player.set_controls(controls);
        }
        let now = self.now();
        if now.duration_since(self.controllers_at) >= CONTROLLERS_INTERVAL {
            self.controllers_at = now;
            self.outputs.midi.send(midi::MidiEvent::Levels(
                lanes.kernel.map(|lane| lane.map(|lane| lane.level)),
                controls.brightness,
            ));
        }
    }

    /// Sends the notes to the outputs. Adjusts or drops late notes.
    fn send_notes(&mut self, fresh: &[Note]) {
        let now_s = self.now_s();
        let cues = fresh.iter().filter(|note| note.layer == Layer::Cues);
        let cues_late_s = cues.map(|cue| now_s - cue.onset_s).fold(0.0, f64::max);
        for note in fresh {
            match adjust_late(note, now_s, cues_late_s) {
                Some(note) => self.send_note(note),
                None => self.state.lock().late_notes += 1,
            }
        }
    }

    fn send_note(&mut self, note: Note) {
        let now = self.now();
        let onset = self.instant(note.onset_s).max(now);
        let onset_wall = SystemTime::now() + (onset - now);
        if self.device_running {
            self.outputs.player.schedule_note(&note);
        }
        self.outputs.midi.send(midi::MidiEvent::Note(note, onset));
        self.outputs.osc.send(osc::OscEvent::Note(note, onset_wall));
        self.state.lock().add_note(note, onset_wall);
        self.sounding.push(note);
    }

    /// Ends all notes on all outputs.
    fn stop(&mut self) {
        self.outputs.player.all_notes_off();
        self.outputs.midi.send(midi::MidiEvent::AllNotesOff);
    }
}

fn end_s(note: &Note) -> f64 {
    note.onset_s + f64::from(note.duration_s)
}

/// Adjusts a late note. A pad is shortened to the part that remains. A pulse or voice note that is
/// more than [`LATE_S`] late is dropped. All cue notes are delayed by `cues_late_s`, which keeps
/// the rhythm that identifies the cue.
fn adjust_late(note: &Note, now_s: f64, cues_late_s: f64) -> Option<Note> {
    match note.layer {
        Layer::Cues => Some(Note { onset_s: note.onset_s + cues_late_s, ..*note }),
        Layer::Bed if note.onset_s < now_s => {
            let rest_s = end_s(note) - now_s;
            let rest = Note { onset_s: now_s, duration_s: rest_s as f32, ..*note };
            (rest_s > LATE_S).then_some(rest)
        }
        Layer::Bed => Some(*note),
        Layer::Pulse | Layer::Voices => (now_s - note.onset_s <= LATE_S).then_some(*note),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use khor_signal::{Counter, Lane, PerLane, Reading, SignalId};

    use super::*;
    use crate::engine::state::NoteSeq;

    /// Duration of a stall, in which the thread does not run.
    const STALL: Duration = Duration::from_millis(600);
    /// A stall begins this long before the pads change. The pads are therefore late.
    const BEFORE_PADS: Duration = Duration::from_millis(500);

    /// A conductor without outputs, with a clock that the test controls.
    struct Fixture {
        thread: MusicThread,
        time_us: Arc<AtomicU64>,
        _audio: audio::AudioOutput,
    }

    impl Fixture {
        /// Creates a fixture in which all signals are busy.
        fn new() -> Self {
            let settings = audio::AudioSettings { sample_rate_hz: 48_000, ..audio::AudioSettings::default() };
            let (audio, player) = audio::AudioOutput::start(settings).unwrap();
            let (osc, midi) = (
                osc::OscOutput::start(Vec::new(), Arc::default()).unwrap(),
                midi::MidiOutput::start(None).unwrap(),
            );
            let state = Arc::new(SharedState::new());
            let reading = Reading {
                t_ns: 0,
                lanes: busy(),
                rates: PerLane::NONE,
                baselines: PerLane::NONE,
                learnt: 1.0,
                counter_rates: [None; Counter::ALL.len()],
            };
            state.lock().add_reading(&[None; Counter::ALL.len()], Some(reading), Instant::now());
            let (time_us, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
            let test_time_us = Arc::clone(&time_us);
            let clock = Box::new(move || start + Duration::from_micros(test_time_us.load(Relaxed)));
            let mut thread = MusicThread::new(Outputs { player, osc, midi }, state, composer(), clock);
            thread.tick();
            Self { thread, time_us, _audio: audio }
        }

        /// Advances the clock, runs one wake-up, and returns the notes that were sent.
        fn wake_after(&mut self, time: Duration) -> Vec<Note> {
            self.time_us.fetch_add(time.as_micros() as u64, Relaxed);
            let before = self.newest();
            self.thread.tick();
            let state = self.thread.state.lock();
            state.notes.iter().filter(|played| played.seq > before).map(|played| played.note).collect()
        }

        fn newest(&self) -> NoteSeq {
            self.thread.state.lock().notes.back().map_or(0, |played| played.seq)
        }

        fn run_for(&mut self, time: Duration) {
            (0..time.as_millis() / TICK.as_millis()).for_each(|_| drop(self.wake_after(TICK)));
        }
    }

    fn composer() -> Composer {
        Composer::new(Settings::default(), Preset::builtin()[0].clone())
    }

    fn busy() -> Lanes {
        [Some(Lane { level: 0.9, deviation: 3.0, surprise: 0.5 }); SignalId::COUNT].into()
    }

    /// Composes the notes of the first seconds without the conductor.
    fn composed(seconds: f64) -> Vec<Note> {
        let mut notes = Vec::new();
        composer().advance(seconds, &busy(), &mut notes);
        notes
    }

    #[test]
    fn punctual_notes_are_unchanged() {
        let mut fixture = Fixture::new();
        let composed = composed(4.0);
        fixture.run_for(Duration::from_secs(4));
        let state = fixture.thread.state.lock();
        let played: Vec<Note> = state.notes.iter().map(|played| played.note).collect();
        assert!(composed.len() > 50 && played.len() >= composed.len());
        assert_eq!(played[..composed.len()], composed, "the first notes; the thread composes ahead");
        assert_eq!(state.late_notes, 0);
    }

    #[test]
    fn a_stall_drops_late_notes() {
        let pads: Vec<Note> = composed(60.0).into_iter().filter(|note| note.layer == Layer::Bed).collect();
        let change =
            pads.iter().map(|pad| Duration::from_secs_f64(pad.onset_s)).find(|at| *at > STALL).unwrap();
        let (mut late_pads, mut dropped) = (0, 0);
        for ticks in 0..14 {
            let mut fixture = Fixture::new();
            fixture.run_for(change.saturating_sub(BEFORE_PADS) + ticks * TICK);
            let notes = fixture.wake_after(STALL);
            let (now_s, step_s) = (fixture.thread.now_s(), fixture.thread.composer.settings().step_s());
            let at_once = |layer| notes.iter().filter(move |n| n.layer == layer && n.onset_s <= now_s);
            let foreground = at_once(Layer::Pulse).chain(at_once(Layer::Voices));
            let steps: BTreeSet<i64> = foreground.map(|note| (note.onset_s / step_s) as i64).collect();
            assert!(steps.len() <= 1, "late notes of several steps at once: {steps:?}");
            for pad in at_once(Layer::Bed) {
                let is_rest = |whole: &&Note| whole.midi == pad.midi && whole.onset_s < now_s;
                let ends_s = pads.iter().filter(is_rest).map(end_s);
                assert!(ends_s.fold(0.0, f64::max) >= end_s(pad) - 1e-3, "{pad:?} ends later than composed");
                late_pads += 1;
            }
            dropped += fixture.thread.state.lock().late_notes;
        }
        assert!(late_pads > 0 && dropped > 0, "{late_pads} late pads, {dropped} dropped notes");
    }

    #[test]
    fn late_cues_keep_their_rhythm() {
        let mut fixture = Fixture::new();
        fixture.run_for(Duration::from_secs(1));
        fixture.thread.execute(Command::Cue(CueSound::Crash));
        let notes = fixture.wake_after(STALL);
        let onsets = |notes: &[Note]| -> Vec<f64> {
            let cue: Vec<f64> = notes.iter().filter(|n| n.layer == Layer::Cues).map(|n| n.onset_s).collect();
            cue.iter().map(|onset_s| onset_s - cue[0]).collect()
        };
        let first = notes.iter().find(|note| note.layer == Layer::Cues).unwrap();
        assert!((first.onset_s - fixture.thread.now_s()).abs() < 1e-6, "the cue begins now");
        let mut composer = composer();
        composer.cue(CueSound::Crash);
        let mut composed = Vec::new();
        composer.advance(0.01, &busy(), &mut composed);
        let apart = std::iter::zip(onsets(&notes), onsets(&composed)).map(|(a, b)| (a - b).abs());
        assert_eq!(onsets(&notes).len(), onsets(&composed).len());
        assert!(apart.fold(0.0, f64::max) < 1e-6, "{:?}", onsets(&notes));
    }
}
