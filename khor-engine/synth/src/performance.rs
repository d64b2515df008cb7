//! Runs composer and synth together for renders.

use khor_music::{Composer, Note, Preset, Role, Settings};
use khor_signal::Lanes;

use crate::{SYNTH_SEED, Samples, Synth, SynthNote, Volume};

/// Length of one block of notes and sound, milliseconds.
pub(super) const BLOCK_MS: u32 = 10;

/// What a performance renders. The notes are the same in all modes, and the mix is the same in all
/// modes with sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenderMode {
    /// The mix of all roles.
    #[default]
    Mix,
    /// The mix, and a stem for each role. Rendering takes about four times as long as rendering
    /// only the mix.
    Stems,
    /// Only notes, without sound.
    NotesOnly,
}

/// Runs composer and synth block by block. The same lanes always give the same samples.
pub struct Performance {
    composer: Composer,
    mode: RenderMode,
    frames: u64,
    /// Value of [`Composer::preset_changes`] when the synth last received patches.
    patches_version: Option<u64>,
    synth: Synth,
    sample_rate_hz: u32,
    notes: Vec<Note>,
    samples: Samples,
}

impl Performance {
    /// Creates a performance at musical time 0. `sample_rate_hz` must be 8000..=192000.
    pub fn new(
        settings: Settings,
        preset: Preset,
        sample_rate_hz: u32,
        volume: Volume,
        mode: RenderMode,
    ) -> Self {
        let block_frames = (sample_rate_hz * BLOCK_MS / 1000) as usize;
        let (mut synth, stems) = match mode {
            RenderMode::Stems => (Synth::with_stems(sample_rate_hz, SYNTH_SEED), Role::ALL.len()),
            RenderMode::Mix | RenderMode::NotesOnly => (Synth::new(sample_rate_hz, SYNTH_SEED), 0),
        };
        synth.set_volume(volume);
        Self {
            composer: Composer::new(settings, preset),
            mode,
            frames: 0,
            patches_version: None,
            synth,
            sample_rate_hz,
            notes: Vec::new(),
            samples: Samples::silence(block_frames, stems),
        }
    }

    /// Renders the next 10 ms from the current `lanes`, and returns the samples.
    pub fn block(&mut self, lanes: &Lanes) -> &Samples {
        let block_end_s = self.seconds() + f64::from(BLOCK_MS) * 1e-3;
        self.notes.clear();
        self.composer.advance(block_end_s, lanes, &mut self.notes);
        if self.mode != RenderMode::NotesOnly {
            self.sound();
        }
        self.frames += self.samples.left.len() as u64;
        &self.samples
    }

    fn sound(&mut self) {
        let changes = Some(self.composer.preset_changes());
        if self.patches_version != changes {
            self.patches_version = changes;
            self.synth.set_patches(self.composer.preset().patches());
        }
        self.synth.set_controls(self.composer.controls());
        for note in &self.notes {
            let onset_frame = (note.onset_s * f64::from(self.sample_rate_hz)) as u64;
            self.synth.schedule(SynthNote::new(note, onset_frame, self.sample_rate_hz));
        }
        self.synth.render_stems(&mut self.samples);
        self.samples.correct_stems();
    }

    /// The notes that the last block added.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Length of the music so far, seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// The composer. Callers use it to change settings, preset or cast.
    pub fn composer(&mut self) -> &mut Composer {
        &mut self.composer
    }

    /// The synth. Callers use it to change its settings or to read its meter.
    pub fn synth(&mut self) -> &mut Synth {
        &mut self.synth
    }
}
