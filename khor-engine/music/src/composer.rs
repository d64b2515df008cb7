//! The composer turns lanes into notes, step by step. In each step, it reads the lanes, calls the
//! layers, and applies changes that wait for a musical boundary.

use std::{mem::discriminant, sync::Arc};

use khor_signal::{Catalogue, LaneId, Lanes};

use super::{
    bed::Bed,
    cast::{Cast, PulseCast, SOLOISTS, VoiceSource},
    controls::Controls,
    cues::{CueSound, Cues},
    mapping::Route,
    note::Note,
    preset::Preset,
    pulse::Pulse,
    reading::Reading,
    rhythm::STEPS_PER_BAR,
    roll_call::RollCall,
    sections::Sections,
    settings::Settings,
    step_context::{Position, StepContext},
    stream::VoiceStream,
    voices::Voices,
};

/// Maximum number of steps that one call composes. After a longer jump of the clock, the remaining
/// steps are skipped. Otherwise, all their notes would sound at once.
const MAX_STEPS_PER_CALL: usize = 4096;

/// A snapshot of what the composer plays. The explanations on the page and in the API use it.
#[derive(Clone, Debug)]
pub struct MusicSnapshot {
    /// Every mapped feature, and how far it has moved from its resting value, 0..=1.
    pub features: Vec<(Route, f32)>,
    /// The playing voices.
    pub voices: Vec<ActiveVoice>,
    /// Whether the source of the lanes is lost.
    pub lost: bool,
}

/// A playing voice.
#[derive(Clone, Copy, Debug)]
pub struct ActiveVoice {
    /// The stream that the voice plays.
    pub stream: VoiceStream,
    /// The lane that the voice represents.
    pub signal: LaneId,
    /// Number of the voice's onsets per bar.
    pub onsets: u8,
    /// Position of the voice's soloist in the cast; `None` if there are no soloists.
    pub soloist: Option<usize>,
}

/// Composes notes from lanes, step by step. The same sequence of calls always gives the same notes.
#[derive(Debug)]
pub struct Composer {
    /// The current settings. New values of key, scale and seed wait in `next_settings` until the
    /// next bar.
    settings: Settings,
    next_settings: Settings,
    preset: Preset,
    next_preset: Option<Preset>,
    preset_changes: u64,
    position: Position,
    reading: Reading,
    controls: Controls,
    /// Musical time at which `controls` was last updated, seconds.
    controls_s: f64,
    bed: Bed,
    pulse: Pulse,
    sections: Sections,
    roll_call: RollCall,
    /// The voices of each soloist. Without soloists, the voices of the first element play the lanes
    /// of all hosts.
    voices: [Voices; SOLOISTS],
    /// Input of the second soloist's voices. `reading` has the input of the first soloist's voices.
    second_reading: Reading,
    cues: Cues,
    /// The catalogue of the source's lanes.
    catalogue: Catalogue,
    /// The hosts that play now. A new cast with a different kind of pulse waits in `next_cast`
    /// until the next bar.
    cast: Arc<Cast>,
    next_cast: Arc<Cast>,
    lost: bool,
}

impl Composer {
    /// Creates a composer at bar 0 and second 0. Each setting outside its range is replaced by the
    /// nearest limit.
    pub fn new(settings: Settings, preset: Preset) -> Self {
        let settings = settings.clamped();
        let reading = Reading::new(&preset.mapping);
        let position = Position { bar: 0, step: 0, step_s: 0.0 };
        let bed = Bed::new(&StepContext::new(&settings, &preset, &reading, position));
        let (sections, second_reading) = (Sections::new(&preset.mapping), Reading::new(&preset.mapping));
        Self {
            settings,
            next_settings: settings,
            preset,
            next_preset: None,
            preset_changes: 0,
            position,
            reading,
            controls: Controls::default(),
            controls_s: 0.0,
            bed,
            pulse: Pulse::default(),
            sections,
            roll_call: RollCall::default(),
            voices: Default::default(),
            second_reading,
            cues: Cues::default(),
            catalogue: Catalogue::kernel(),
            cast: Arc::default(),
            next_cast: Arc::default(),
            lost: false,
        }
    }

    /// Sets new settings. Tempo, density and smoothing apply from the next step on. Key, scale and
    /// seed apply from the next bar on, because their new values could clash with sounding notes.
    /// Each setting outside its range is replaced by the nearest limit.
    pub fn set_settings(&mut self, settings: Settings) {
        self.next_settings = settings.clamped();
        let Settings { key_midi, scale, seed, .. } = self.settings;
        self.settings = Settings { key_midi, scale, seed, ..self.next_settings };
    }

    /// Adds a cue. Depending on its severity, it starts immediately, on the next step or on the
    /// next beat. If a cue of this kind is already waiting, the new cue is dropped.
    pub fn cue(&mut self, kind: CueSound) {
        self.cues.push(kind, self.controls_s.max(self.position.step_s));
    }

    /// Sets which hosts play, from the next step on. If the kind of pulse changes, the new cast
    /// waits until the next bar.
    pub fn set_cast(&mut self, cast: Arc<Cast>) {
        if discriminant(&cast.pulse) == discriminant(&self.cast.pulse) {
            self.cast = Arc::clone(&cast);
        }
        self.next_cast = cast;
    }

    /// Sets the catalogue of lanes, from the next step on. An added lane is played by the voice
    /// that its definition names, because the mapping has no row for added lanes. If the catalogue
    /// does not extend the previous one, the ids of added lanes change their meaning. In that case,
    /// the voices that play added lanes end.
    pub fn set_catalogue(&mut self, catalogue: &Catalogue) {
        if *catalogue == self.catalogue {
            return;
        }
        let keeps_ids = catalogue.extends(&self.catalogue);
        let voices: Arc<[VoiceStream]> =
            catalogue.added().iter().map(|lane| VoiceStream::of_hint(lane.voice)).collect();
        for reading in [&mut self.reading, &mut self.second_reading] {
            reading.set_added(Arc::clone(&voices), keeps_ids);
        }
        if !keeps_ids {
            self.voices.iter_mut().for_each(Voices::end_added);
        }
        self.catalogue = catalogue.clone();
    }

    /// Takes a snapshot of what the composer plays.
    pub fn snapshot(&self) -> MusicSnapshot {
        MusicSnapshot {
            features: self.reading.feature_positions().collect(),
            voices: self.active_voices().collect(),
            lost: self.reading.is_lost(),
        }
    }

    fn active_voices(&self) -> impl Iterator<Item = ActiveVoice> {
        let of = |(index, voices): (usize, &Voices)| {
            let soloist = self.cast.soloists[index].as_ref().map(|_| index);
            let active = voices.active().collect::<Vec<_>>();
            active.into_iter().map(move |s| ActiveVoice {
                stream: s.stream,
                signal: s.signal,
                onsets: s.onsets,
                soloist,
            })
        };
        self.voices.iter().enumerate().flat_map(of)
    }

    /// The current settings. New values of key, scale and seed may still wait for the next bar.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the preset at the next bar line. If several presets are set before the bar line, the
    /// last one applies.
    pub fn set_preset(&mut self, preset: Preset) {
        self.next_preset = Some(preset);
    }

    /// Number of preset changes so far. When this number changes, the synth needs new patches.
    pub fn preset_changes(&self) -> u64 {
        self.preset_changes
    }

    /// The current preset.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// Position of the next step to compose.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The continuous parameters as updated by the last [`Self::advance`].
    pub fn controls(&self) -> Controls {
        self.controls
    }

    /// Moves the clock to `now_s` without composing. If `now_s` is after the next step, a new bar
    /// begins at `now_s`. Call this function when the source was paused or the clock jumped.
    pub fn skip_to(&mut self, now_s: f64) {
        if !now_s.is_finite() {
            return;
        }
        self.controls_s = self.controls_s.max(now_s);
        if now_s > self.position.step_s {
            self.position = Position { bar: self.position.bar + 1, step: 0, step_s: now_s };
        }
    }

    /// Composes all steps that begin before `until_s`. Reads the current `lanes`, and appends the
    /// notes to `out`.
    ///
    /// The notes of each step are sorted by onset. Because of swing or strum, the last notes may
    /// begin slightly after `until_s`.
    pub fn advance(&mut self, until_s: f64, lanes: &Lanes, out: &mut Vec<Note>) {
        let context = StepContext::new(&self.settings, &self.preset, &self.reading, self.position);
        self.cues.play_urgent(&context, self.controls_s, out);
        for _ in 0..MAX_STEPS_PER_CALL {
            if self.position.step_s >= until_s || !until_s.is_finite() {
                return self.follow_controls(until_s);
            }
            self.step(lanes, out);
        }
        self.skip_to(until_s);
    }

    fn follow_controls(&mut self, until_s: f64) {
        let elapsed_s = (until_s - self.controls_s).clamp(0.0, 60.0) as f32;
        if elapsed_s > 0.0 {
            self.controls_s = until_s;
            self.controls.follow(&self.reading, self.settings.step_s(), elapsed_s);
        }
    }

    fn step(&mut self, lanes: &Lanes, out: &mut Vec<Note>) {
        if self.position.step == 0 {
            self.start_bar();
        }
        let step_s = self.settings.step_s();
        self.read(lanes, step_s as f32);
        self.cue_source_changes();
        let first = out.len();
        let context = StepContext::new(&self.settings, &self.preset, &self.reading, self.position);
        self.bed.step(&context, out);
        let chord = self.bed.chord();
        self.cues.step(&context, out);
        let foreground = out.len();
        match &self.cast.pulse {
            PulseCast::Together => self.pulse.step(&context, chord, out),
            PulseCast::Sections(_) => self.sections.step(&context, chord, out),
            PulseCast::RollCall(turns) => self.roll_call.step(&context, chord, turns, out),
        }
        let [first_voices, second_voices] = &mut self.voices;
        let [of_first, of_second] = self.cast.voices();
        let of_first = VoiceSource { taken_streams: second_voices.streams(), ..of_first };
        first_voices.step(&context, of_first, chord, out);
        let of_second = VoiceSource { taken_streams: first_voices.streams(), ..of_second };
        second_voices.step(&context.with_reading(&self.second_reading), of_second, chord, out);
        first_voices.idle_note(&context, self.cast.is_single_host(), chord, out);
        if self.cues.is_foreground_at(context.onset_s) {
            out.truncate(foreground);
        }
        out[first..].sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s));
        self.position = self.position.next(step_s);
    }

    /// Updates all readings from the lanes of one step.
    fn read(&mut self, lanes: &Lanes, step_s: f32) {
        let smoothing = self.settings.smoothing;
        let [first_lanes, second_lanes] = self.cast.voices().map(|voices| voices.lanes);
        self.reading.update(lanes, first_lanes, smoothing, step_s);
        self.second_reading.update(lanes, second_lanes, smoothing, step_s);
        if let PulseCast::Sections(sections) = &self.cast.pulse {
            self.sections.update(sections, smoothing, step_s);
        }
    }

    /// Applies the changes that waited for this bar.
    fn start_bar(&mut self) {
        self.settings = self.next_settings;
        if discriminant(&self.cast.pulse) != discriminant(&self.next_cast.pulse) {
            self.pulse = Pulse::default();
            self.sections = Sections::new(&self.preset.mapping);
            self.roll_call = RollCall::default();
        }
        self.cast = Arc::clone(&self.next_cast);
        let Some(preset) = self.next_preset.take() else { return };
        let is_another = preset.name != self.preset.name;
        self.preset = preset;
        self.preset_changes += 1;
        self.reading.remap(&self.preset.mapping);
        self.second_reading.remap(&self.preset.mapping);
        self.sections.remap(&self.preset.mapping);
        if is_another {
            self.bed =
                Bed::new(&StepContext::new(&self.settings, &self.preset, &self.reading, self.position));
            self.pulse = Pulse::default();
        }
    }

    fn cue_source_changes(&mut self) {
        let lost = self.reading.is_lost();
        if lost != self.lost {
            self.lost = lost;
            self.cue(if lost { CueSound::Lost } else { CueSound::Found });
        }
    }
}

impl Position {
    fn next(self, step_s: f64) -> Self {
        let last = self.step + 1 == STEPS_PER_BAR;
        Self {
            bar: self.bar + u64::from(last),
            step: if last { 0 } else { self.step + 1 },
            step_s: self.step_s + step_s,
        }
    }
}
