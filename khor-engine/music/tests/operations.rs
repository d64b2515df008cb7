//! Tests the composer with random sequences of operations. All notes must be valid, and the same
//! operations must give the same notes.

use std::sync::Arc;

use khor_music::{
    Cast, Composer, CueSound, HostPlacement, Layer, Note, Position, Preset, PulseCast, RollCallTurn, Scale,
    Settings, Soloist,
};
use khor_signal::{Lane, Lanes, PerSignal, SignalId};
use proptest::{collection::vec, num::f32::ANY, option, prelude::*, sample::select};

/// Minimum silence between two cues, seconds. It is 0.1 ms shorter than the composer's 0.3 s,
/// because onsets are rounded.
const CUE_GAP_S: f64 = 0.3 - 1e-4;
/// Longest possible strum, seconds. It is one bar at the slowest tempo.
const LONGEST_STRUM_S: f64 = 12.0;

/// The lanes that the composer gets during one operation.
#[derive(Clone, Copy, Debug)]
enum Input {
    /// Every signal is missing.
    Missing,
    /// Every signal has this level, and a deviation proportional to the level.
    All(f32),
    /// The signal with this index has this level. All other signals are idle.
    One(usize, f32),
    /// The level, deviation and surprise of every signal are NaN.
    Broken,
}

impl Input {
    fn lanes(self) -> Lanes {
        let lane = |level: f32| Some(Lane { level, deviation: 10.0 * level, surprise: level });
        let kernel: PerSignal<Option<Lane>> = match self {
            Self::Missing => [None; SignalId::COUNT],
            Self::All(level) => [lane(level); SignalId::COUNT],
            Self::One(loud, level) => std::array::from_fn(|i| lane(if i == loud { level } else { 0.0 })),
            Self::Broken => [lane(f32::NAN); SignalId::COUNT],
        };
        kernel.into()
    }
}

/// An operation on a composer.
#[derive(Clone, Debug)]
enum Op {
    Settings(Settings),
    /// Sets the built-in preset with this index.
    Preset(usize),
    Cue(CueSound),
    Cast(Cast),
    /// Moves the clock forward by this many seconds.
    Skip(f64),
    /// Composes this many seconds of music.
    Play(f64, Input),
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Missing),
        (0.0f32..=1.1).prop_map(Input::All),
        (0..SignalId::COUNT, 0.0f32..=1.0).prop_map(|(loud, level)| Input::One(loud, level)),
        Just(Input::Broken),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    (20.0f32..=300.0, 0u8..=127, select(&Scale::ALL[..]), 0.0f32..=1.0, 0.0f32..=1.0, 0u64..9).prop_map(
        |(bpm, key_midi, scale, density, smoothing, seed)| Settings {
            bpm,
            key_midi,
            scale,
            density,
            smoothing,
            seed,
        },
    )
}

fn casts() -> impl Strategy<Value = Cast> {
    let placement = || (-1.0f32..=1.0, -4i32..=4).prop_map(|(pan, lean)| HostPlacement { pan, lean });
    let lanes = || inputs().prop_map(Input::lanes);
    let soloist = (lanes(), placement()).prop_map(|(lanes, placement)| Soloist { lanes, placement });
    let turn = (0u64..9, option::of(lanes()), placement()).prop_map(|(id, lanes, placement)| RollCallTurn {
        id,
        lanes,
        placement,
    });
    let pulse = prop_oneof![
        Just(PulseCast::Together),
        prop::array::uniform4(option::of(lanes())).prop_map(PulseCast::Sections),
        vec(turn, 0..5).prop_map(PulseCast::RollCall),
    ];
    (prop::array::uniform2(option::of(soloist)), pulse).prop_map(|(soloists, pulse)| Cast { soloists, pulse })
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        1 => settings().prop_map(Op::Settings),
        1 => (0..Preset::builtin().len()).prop_map(Op::Preset),
        2 => select(&CueSound::ALL[..]).prop_map(Op::Cue),
        1 => casts().prop_map(Op::Cast),
        1 => (0.0..3.0).prop_map(Op::Skip),
        6 => (0.0..2.0, inputs()).prop_map(|(seconds, input)| Op::Play(seconds, input)),
    ];
    vec(op, 1..80)
}

/// A composer, together with the settings and presets that the test expects it to have.
struct Model {
    composer: Composer,
    now_s: f64,
    /// The settings that the test set last. The composer may still wait for the next bar to apply
    /// them; `in_force` has the settings that apply now.
    settings: Settings,
    in_force: Settings,
    /// The name of the preset that the test set last. The composer may still wait for the next bar
    /// to apply it; `preset_in_force` has the preset that plays now.
    preset: String,
    preset_in_force: String,
    notes: Vec<Note>,
}

impl Model {
    fn new() -> Self {
        let (settings, preset) = (Settings::default(), Preset::builtin()[0].clone());
        Self {
            now_s: 0.0,
            settings,
            in_force: settings,
            preset: preset.name.clone(),
            preset_in_force: preset.name.clone(),
            notes: Vec::new(),
            composer: Composer::new(settings, preset),
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Settings(settings) => {
                self.settings = *settings;
                let Settings { key_midi, scale, seed, .. } = self.in_force;
                self.in_force = Settings { key_midi, scale, seed, ..*settings };
                self.composer.set_settings(*settings);
            }
            Op::Preset(index) => {
                self.preset.clone_from(&Preset::builtin()[*index].name);
                self.composer.set_preset(Preset::builtin()[*index].clone());
            }
            Op::Cue(kind) => self.composer.cue(*kind),
            Op::Cast(cast) => self.composer.set_cast(Arc::new(cast.clone())),
            Op::Skip(seconds) => {
                self.now_s += seconds;
                self.composer.skip_to(self.now_s);
            }
            Op::Play(seconds, input) => self.play(*seconds, *input),
        }
        self.check();
    }

    fn play(&mut self, seconds: f64, input: Input) {
        let before = self.composer.position();
        let composed_s = before.step_s.min(self.now_s);
        self.now_s += seconds;
        let first = self.notes.len();
        self.composer.advance(self.now_s, &input.lanes(), &mut self.notes);
        for note in &self.notes[first..] {
            check_note(note);
            assert!(note.onset_s >= composed_s, "onset in the past: {note:?}");
            assert!(note.onset_s < self.now_s + LONGEST_STRUM_S, "onset too far ahead: {note:?}");
        }
        assert!(self.composer.position().step_s >= self.now_s);
        if has_begun_a_bar(before, self.composer.position()) {
            self.in_force = self.settings;
            self.preset_in_force.clone_from(&self.preset);
        }
    }

    fn check(&self) {
        assert_eq!(self.composer.settings(), &self.in_force);
        assert_eq!(self.composer.preset().name, self.preset_in_force);
        let voices = self.composer.snapshot().voices;
        assert!(voices.len() <= 2, "{voices:?}");
        assert!(voices.len() < 2 || voices[0].stream != voices[1].stream, "{voices:?}");
        let controls = self.composer.controls();
        let shares = [controls.brightness, controls.reverb, controls.delay, controls.vowel];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{controls:?}");
        assert!((0.05..=1.0).contains(&controls.echo_s), "{controls:?}");
    }
}

/// Whether the composer has composed the first step of a bar while it moved from one position to
/// another.
fn has_begun_a_bar(from: Position, to: Position) -> bool {
    let bars = to.bar - from.bar;
    (from.step == 0 && to != from) || bars > 1 || (bars == 1 && to.step > 0)
}

fn check_note(note: &Note) {
    let &Note { onset_s, duration_s, midi, velocity, pan, brightness, role, .. } = note;
    assert!(onset_s.is_finite() && duration_s > 0.0 && duration_s < 40.0, "{note:?}");
    assert!((36..=96).contains(&midi), "{note:?}");
    assert!((0.0..=1.0).contains(&velocity) && (-1.0..=1.0).contains(&pan), "{note:?}");
    assert!((-3.0..=3.0).contains(&brightness), "{note:?}");
    assert!((1..=16).contains(&role.midi_channel()), "{note:?}");
    assert!(note.layer == Layer::Voices || note.signal.is_none(), "{note:?}");
}

/// Onset and duration of each note of a cue, seconds. Onsets are relative to the first note.
type Motif = Vec<(f64, f32)>;

fn motif(notes: &[&Note]) -> Motif {
    notes.iter().map(|note| (note.onset_s - notes[0].onset_s, note.duration_s)).collect()
}

/// The motif of each cue. No motif is a prefix of another motif.
fn motifs() -> Vec<Motif> {
    let of = |kind| {
        let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
        composer.cue(kind);
        let mut notes = Vec::new();
        composer.advance(5.0, &Input::All(0.0).lanes(), &mut notes);
        motif(&notes.iter().filter(|note| note.layer == Layer::Cues).collect::<Vec<_>>())
    };
    CueSound::ALL.into_iter().map(of).collect()
}

/// Checks that all cues are complete. Each cue must begin at least [`CUE_GAP_S`] after the end of
/// the previous one.
fn check_cues(notes: &[Note], motifs: &[Motif]) {
    let notes: Vec<&Note> = notes.iter().filter(|note| note.layer == Layer::Cues).collect();
    let (mut rest, mut ended_s) = (&notes[..], f64::NEG_INFINITY);
    let alike = |a: &Motif, b: &Motif| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.0 - b.0).abs() < 1e-6 && a.1 == b.1)
    };
    while let Some(first) = rest.first() {
        let found = motifs.iter().find(|it| it.len() <= rest.len() && alike(&motif(&rest[..it.len()]), it));
        let length = found.unwrap_or_else(|| panic!("not the notes of a cue: {rest:?}")).len();
        assert!(first.onset_s - ended_s >= CUE_GAP_S, "{} s after the last cue", first.onset_s - ended_s);
        let (cue, next) = rest.split_at(length);
        ended_s = cue.iter().map(|note| note.onset_s + f64::from(note.duration_s)).fold(ended_s, f64::max);
        rest = next;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_give_only_valid_notes(ops in ops()) {
        let mut model = Model::new();
        for op in &ops {
            model.apply(op);
        }
        check_cues(&model.notes, &motifs());
    }

    #[test]
    fn same_operations_give_same_notes(ops in ops()) {
        let [one, another] = [(); 2].map(|()| {
            let mut model = Model::new();
            for op in &ops {
                model.apply(op);
            }
            model.notes
        });
        prop_assert_eq!(one, another);
    }

    #[test]
    fn settings_outside_ranges_are_corrected(
        (bpm, density, smoothing) in (ANY, ANY, ANY), key_midi: u8
    ) {
        let mut composer = Composer::new(Settings::default(), Preset::builtin()[0].clone());
        composer.set_settings(Settings { bpm, density, smoothing, key_midi, ..Settings::default() });
        composer.advance(1.0, &Input::All(0.5).lanes(), &mut Vec::new());
        let settings = composer.settings();
        let within = |value: f32, (low, high): (f32, f32)| (low..=high).contains(&value);
        let shares = [settings.density, settings.smoothing];
        prop_assert!(within(settings.bpm, Settings::BPM), "{settings:?}");
        prop_assert!(shares.into_iter().all(|share| within(share, Settings::SHARE)), "{settings:?}");
        prop_assert!(settings.key_midi <= Settings::HIGHEST_KEY, "{settings:?}");
    }
}
