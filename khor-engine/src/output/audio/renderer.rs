//! The audio callback: takes commands, renders the synth, interleaves. Real-time safe.

use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Instant,
};

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    link::{Link, Meters},
    shed::Shed,
    tap::Feed,
};
use crate::{
    music::{Controls, Instrument, Patch},
    synth::{SYNTH_SEED, Synth, SynthNote, Volume},
};

/// Frames rendered at a time; callbacks of any length are cut into these.
const CHUNK_FRAMES: usize = 512;
/// How fast the shown peak falls, per chunk.
const PEAK_FALL: f32 = 0.9;

/// What the callback is told.
#[derive(Clone, Copy)]
pub(super) enum Command {
    Note(SynthNote),
    Controls(Controls),
    /// One at a time: all of them would make every command twelve times as long.
    Patch(Instrument, Patch),
    Volume(Volume),
    Muted(bool),
    AllNotesOff,
}

/// Settings that a new synth must be given when the sample rate changes.
#[derive(Clone, Copy, Default)]
struct Settings {
    patches: [Option<Patch>; Instrument::ALL.len()],
    controls: Option<Controls>,
    volume: Option<Volume>,
    muted: bool,
}

/// The synth and the receiving end of its commands.
pub(super) struct Renderer {
    synth: Synth,
    sample_rate_hz: u32,
    commands: Consumer<Command>,
    settings: Settings,
    left: [f32; CHUNK_FRAMES],
    right: [f32; CHUNK_FRAMES],
    peak: f32,
    shed: Shed,
    link: Arc<Link>,
    tap: Feed,
}

impl Renderer {
    /// Allocates; not for the audio thread.
    pub(super) fn new(sample_rate_hz: u32, commands: Consumer<Command>, link: Arc<Link>, tap: Feed) -> Self {
        Self {
            synth: Synth::new(sample_rate_hz, SYNTH_SEED),
            sample_rate_hz,
            commands,
            settings: Settings::default(),
            left: [0.0; CHUNK_FRAMES],
            right: [0.0; CHUNK_FRAMES],
            peak: 0.0,
            shed: Shed::new(),
            link,
            tap,
        }
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Takes what was said while no stream plays: settings are kept, notes are over before they sound. Called
    /// often enough, the queue never fills. Not for the audio thread.
    pub(super) fn idle(&mut self) {
        while let Ok(command) = self.commands.pop() {
            if !matches!(command, Command::Note(_)) {
                self.apply(command);
            }
        }
    }

    /// Makes it ready for a stream of this rate: old notes are dropped, settings kept. Allocates when the
    /// rate changes; not for the audio thread.
    pub(super) fn prepare(&mut self, sample_rate_hz: u32) {
        self.idle();
        self.synth.all_notes_off();
        if sample_rate_hz == self.sample_rate_hz {
            return;
        }
        self.sample_rate_hz = sample_rate_hz;
        self.tap.set_rate(sample_rate_hz);
        self.synth = Synth::new(sample_rate_hz, SYNTH_SEED);
        self.shed = Shed::new();
        let Settings { patches, controls, volume, muted } = self.settings;
        for (instrument, patch) in std::iter::zip(Instrument::ALL, patches) {
            if let Some(patch) = patch {
                self.synth.set_patch(instrument, patch);
            }
        }
        let restore =
            [controls.map(Command::Controls), volume.map(Command::Volume), Some(Command::Muted(muted))];
        restore.into_iter().flatten().for_each(|command| self.apply(command));
    }

    /// Fills one callback's buffer of interleaved frames, whose first is heard `until_heard_s` from now. Audio thread: no lock, no allocation, no syscall
    /// (the clock is read through the vDSO).
    pub(super) fn fill(&mut self, out: &mut [f32], channels: usize, until_heard_s: f32) {
        let begun = Instant::now();
        while let Ok(command) = self.commands.pop() {
            self.apply(command);
        }
        for chunk in out.chunks_mut(CHUNK_FRAMES * channels) {
            let frames = chunk.len() / channels;
            self.synth.render(&mut self.left[..frames], &mut self.right[..frames]);
            self.tap.push(&self.left[..frames], &self.right[..frames]);
            interleave(&self.left[..frames], &self.right[..frames], chunk, channels);
            self.peak = (self.peak * PEAK_FALL).max(self.synth.meter().peak);
        }
        let length_s = (out.len() / channels) as f32 / self.sample_rate_hz as f32;
        let callback_load = begun.elapsed().as_secs_f32() / length_s.max(1e-6);
        if let Some(limit) = self.shed.observe(callback_load, length_s) {
            self.synth.set_voice_limit(limit);
        }
        let meter = self.synth.meter();
        let meters = Meters {
            callback_load,
            latency_s: until_heard_s + Synth::LATENCY_FRAMES as f32 / self.sample_rate_hz as f32,
            peak: self.peak,
            voices: meter.active_voices,
            voice_limit: self.shed.limit(),
            dropped_notes: meter.dropped,
        };
        self.link.publish(self.synth.frame(), meters);
    }

    fn apply(&mut self, command: Command) {
        match command {
            Command::Note(note) => {
                self.synth.schedule(note);
            }
            Command::Controls(controls) => {
                self.settings.controls = Some(controls);
                self.synth.set_controls(controls);
            }
            Command::Patch(instrument, patch) => {
                self.settings.patches[instrument.index()] = Some(patch);
                self.synth.set_patch(instrument, patch);
            }
            Command::Volume(volume) => {
                self.settings.volume = Some(volume);
                self.synth.set_volume(volume);
            }
            Command::Muted(muted) => {
                self.settings.muted = muted;
                self.synth.set_muted(muted);
            }
            Command::AllNotesOff => self.synth.all_notes_off(),
        }
    }
}

/// Stereo into any number of channels: one gets the mean, more than two get the first two.
fn interleave(left: &[f32], right: &[f32], out: &mut [f32], channels: usize) {
    for (frame, (l, r)) in out.chunks_exact_mut(channels).zip(left.iter().zip(right)) {
        match frame {
            [mono] => *mono = 0.5 * (l + r),
            [first, second, rest @ ..] => {
                (*first, *second) = (*l, *r);
                rest.fill(0.0);
            }
            [] => {}
        }
    }
}

/// A renderer on loan to a stream's callback; goes home when the stream is dropped. A stream may begin before it has
/// one, and is silent until then: whether a device opens is known only once it has.
pub(super) struct Lease {
    renderer: Option<Box<Renderer>>,
    coming: Consumer<Box<Renderer>>,
    home: SyncSender<Box<Renderer>>,
}

/// Where a lease gets its renderer from.
pub(super) struct Handover(Producer<Box<Renderer>>);

impl Lease {
    /// Without a renderer yet; `home` is where it goes in the end.
    pub(super) fn new(home: SyncSender<Box<Renderer>>) -> (Self, Handover) {
        let (handover, coming) = RingBuffer::new(1);
        (Self { renderer: None, coming, home }, Handover(handover))
    }

    /// Audio thread: see [`Renderer::fill`].
    pub(super) fn fill(&mut self, out: &mut [f32], channels: usize, until_heard_s: f32) {
        if self.renderer.is_none() {
            self.renderer = self.coming.pop().ok();
        }
        match &mut self.renderer {
            Some(renderer) => renderer.fill(out, channels, until_heard_s),
            None => out.fill(0.0),
        }
    }
}

impl Handover {
    /// Gives the renderer; back comes one that the lease doesn't live to take.
    pub(super) fn give(mut self, renderer: Box<Renderer>) -> Option<Box<Renderer>> {
        if self.0.is_abandoned() {
            return Some(renderer);
        }
        let given = self.0.push(renderer);
        given.err().map(|rtrb::PushError::Full(renderer)| renderer)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renderer) = self.renderer.take().or_else(|| self.coming.pop().ok()) {
            // The queue holds one and there is one renderer: it is full only if home is gone.
            drop(self.home.try_send(renderer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_filled_as_the_device_has_them() {
        let (left, right) = ([1.0, 2.0], [3.0, 4.0]);
        let mut mono = [9.0; 2];
        interleave(&left, &right, &mut mono, 1);
        assert_eq!(mono, [2.0, 3.0]);
        let mut quad = [9.0; 8];
        interleave(&left, &right, &mut quad, 4);
        assert_eq!(quad, [1.0, 3.0, 0.0, 0.0, 2.0, 4.0, 0.0, 0.0]);
    }
}
