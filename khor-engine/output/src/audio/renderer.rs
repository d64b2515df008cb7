//! The audio callback: receives commands, renders the synth, and interleaves the channels.
//! Real-time safe.

use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Instant,
};

use khor_music::{Controls, Instrument, Patch};
use khor_synth::{SYNTH_SEED, Synth, SynthNote, Volume};
use parking_lot::Mutex;
use rtrb::Consumer;

use super::{
    callback_state::{AudioMeters, CallbackState},
    tap::TapFeed,
    voice_limit::VoiceLimit,
};

/// Number of frames that are rendered at a time. Longer callbacks are split into chunks of this
/// length.
const CHUNK_FRAMES: usize = 512;
/// The displayed peak is multiplied by this factor for each chunk, so that it falls slowly.
const PEAK_FALL: f32 = 0.9;

/// A command for the callback.
#[derive(Clone, Copy)]
pub(super) enum Command {
    Note(SynthNote),
    Controls(Controls),
    /// The patch of one instrument. A single command with all patches would make every slot of the
    /// queue twelve times as large.
    Patch(Instrument, Patch),
    Volume(Volume),
    Muted(bool),
    AllNotesOff,
}

/// The settings of a synth. They are sent again to each new synth.
#[derive(Clone, Copy, Default)]
pub(super) struct Settings {
    pub(super) patches: [Option<Patch>; Instrument::ALL.len()],
    pub(super) controls: Option<Controls>,
    pub(super) volume: Option<Volume>,
    pub(super) muted: bool,
}

impl Settings {
    /// The commands that apply all settings.
    pub(super) fn commands(self) -> impl Iterator<Item = Command> + Clone {
        let patches = std::iter::zip(Instrument::ALL, self.patches);
        let patches = patches.filter_map(|(instrument, patch)| Some(Command::Patch(instrument, patch?)));
        let (controls, volume) = (self.controls.map(Command::Controls), self.volume.map(Command::Volume));
        patches.chain(controls).chain(volume).chain([Command::Muted(self.muted)])
    }
}

/// The synth, and the queue from which it receives commands.
pub(super) struct Renderer {
    synth: Synth,
    sample_rate_hz: u32,
    commands: Consumer<Command>,
    settings: Settings,
    /// Whether the sound is fading out. After the fade, it stays silent until the next stream.
    is_fading: bool,
    /// Number of notes that earlier synths dropped because they were full.
    dropped_notes: u64,
    left: [f32; CHUNK_FRAMES],
    right: [f32; CHUNK_FRAMES],
    peak: f32,
    voice_limit: VoiceLimit,
    callback: Arc<CallbackState>,
    tap: TapFeed,
}

impl Renderer {
    /// Creates a renderer. Allocates memory, so do not call it in the audio thread.
    pub(super) fn new(
        sample_rate_hz: u32,
        commands: Consumer<Command>,
        callback: Arc<CallbackState>,
        tap: TapFeed,
    ) -> Self {
        Self {
            synth: Synth::new(sample_rate_hz, SYNTH_SEED),
            sample_rate_hz,
            commands,
            settings: Settings::default(),
            is_fading: false,
            dropped_notes: 0,
            left: [0.0; CHUNK_FRAMES],
            right: [0.0; CHUNK_FRAMES],
            peak: 0.0,
            voice_limit: VoiceLimit::new(),
            callback,
            tap,
        }
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Receives commands while no stream plays. Keeps settings and drops notes. The supervisor
    /// calls this so often that the queue never fills. Do not call it in the audio thread.
    pub(super) fn idle(&mut self) {
        while let Ok(command) = self.commands.pop() {
            if !matches!(command, Command::Note(_)) {
                self.apply(command);
            }
        }
    }

    /// Prepares for a stream of this sample rate. Keeps the settings. Drops the sound of the last
    /// stream, because that stream may have ended long ago. Allocates memory, so do not call it in
    /// the audio thread.
    pub(super) fn prepare(&mut self, sample_rate_hz: u32) {
        self.idle();
        if sample_rate_hz != self.sample_rate_hz {
            self.sample_rate_hz = sample_rate_hz;
            self.tap.set_rate(sample_rate_hz);
            self.voice_limit = VoiceLimit::new();
        }
        self.dropped_notes += self.synth.meter().dropped;
        self.synth = Synth::new(sample_rate_hz, SYNTH_SEED);
        self.synth.set_voice_limit(self.voice_limit.limit());
        (self.is_fading, self.peak) = (false, 0.0);
        self.settings.commands().for_each(|command| self.apply(command));
    }

    /// Fills a callback's buffer with interleaved frames. The first frame sounds after `delay_s`
    /// seconds. Suitable for the audio thread: takes no lock, allocates nothing and makes no system
    /// call (the vDSO reads the clock).
    pub(super) fn fill(&mut self, out: &mut [f32], channels: usize, delay_s: f32) {
        let begun = Instant::now();
        while let Ok(command) = self.commands.pop() {
            self.apply(command);
        }
        if self.callback.is_fading() != self.is_fading {
            self.is_fading = !self.is_fading;
            self.synth.set_muted(self.settings.muted || self.is_fading);
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
        if let Some(limit) = self.voice_limit.observe(callback_load, length_s) {
            self.synth.set_voice_limit(limit);
        }
        let meter = self.synth.meter();
        let meters = AudioMeters {
            callback_load,
            latency_s: Some(delay_s + Synth::LATENCY_FRAMES as f32 / self.sample_rate_hz as f32),
            peak: self.peak,
            voices: meter.active_voices,
            voice_limit: self.voice_limit.limit(),
            dropped_notes: self.dropped_notes + meter.dropped,
        };
        self.callback.publish(self.synth.frame(), meters);
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
                self.synth.set_muted(muted || self.is_fading);
            }
            Command::AllNotesOff => self.synth.all_notes_off(),
        }
    }
}

/// Converts stereo to any number of channels. A single channel receives the mean of both samples.
/// If there are more than two channels, the first two receive the sound and the others receive
/// silence.
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

/// Lends a renderer to a stream's callback. Dropping the lease returns the renderer. While a stream
/// is being opened, its lease is empty, and the stream plays silence. Until then, the pacer may use
/// the renderer. Once the stream is open, its lease receives the renderer.
pub(super) struct Lease {
    renderer: Option<Box<Renderer>>,
    transfer: Arc<Mutex<Transfer>>,
    returns: SyncSender<Box<Renderer>>,
}

/// Passes a renderer to its [`Lease`].
pub(super) struct Handover(Arc<Mutex<Transfer>>);

/// The state that a lease shares with its handover.
enum Transfer {
    /// The lease has not received a renderer yet.
    Pending,
    /// The handover holds this renderer, and the lease has not taken it yet.
    Ready(Box<Renderer>),
    /// The lease was dropped.
    Abandoned,
}

impl Lease {
    /// Creates an empty lease. `returns` receives the renderer when the lease is dropped.
    pub(super) fn new(returns: SyncSender<Box<Renderer>>) -> (Self, Handover) {
        let transfer = Arc::new(Mutex::new(Transfer::Pending));
        (Self { renderer: None, transfer: Arc::clone(&transfer), returns }, Handover(transfer))
    }

    /// Fills a callback's buffer. Plays silence while the lease has no renderer. For the audio
    /// thread, see [`Renderer::fill`].
    pub(super) fn fill(&mut self, out: &mut [f32], channels: usize, delay_s: f32) {
        // The lock is needed only until the renderer arrives. The callback never waits for it.
        if self.renderer.is_none()
            && let Some(mut transfer) = self.transfer.try_lock()
            && let Transfer::Ready(renderer) = std::mem::replace(&mut *transfer, Transfer::Pending)
        {
            self.renderer = Some(renderer);
        }
        match &mut self.renderer {
            Some(renderer) => renderer.fill(out, channels, delay_s),
            None => out.fill(0.0),
        }
    }
}

impl Handover {
    /// Passes a renderer to the lease. If the lease was already dropped, returns the renderer.
    pub(super) fn give_renderer(self, renderer: Box<Renderer>) -> Option<Box<Renderer>> {
        let mut transfer = self.0.lock();
        if matches!(*transfer, Transfer::Abandoned) {
            return Some(renderer);
        }
        *transfer = Transfer::Ready(renderer);
        None
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut transfer = self.transfer.lock();
        let transfer = std::mem::replace(&mut *transfer, Transfer::Abandoned);
        let unclaimed = if let Transfer::Ready(renderer) = transfer { Some(renderer) } else { None };
        if let Some(renderer) = self.renderer.take().or(unclaimed) {
            // There is only one renderer, and the queue has room for one. So sending fails only if
            // the receiver was dropped.
            drop(self.returns.try_send(renderer));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use khor_music::{Preset, Role};
    use rtrb::{Producer, RingBuffer};

    use super::{super::tap::Tap, *};

    const RATE_HZ: u32 = 48_000;

    fn made() -> (Renderer, Producer<Command>, Arc<CallbackState>) {
        let (commands, receiver) = RingBuffer::new(64);
        let (callback, (_, feed)) = (Arc::new(CallbackState::new(RATE_HZ)), Tap::start(RATE_HZ).unwrap());
        let mut renderer = Renderer::new(RATE_HZ, receiver, Arc::clone(&callback), feed);
        for (instrument, patch) in std::iter::zip(Instrument::ALL, Preset::builtin()[0].patches()) {
            renderer.apply(Command::Patch(instrument, patch));
        }
        renderer.apply(Command::Volume(Volume { master_gain: 1.0, loudness_lufs: -16.0 }));
        let controls = Controls { brightness: 0.0, reverb: 1.0, delay: 1.0, echo_s: 0.3, vowel: 0.0 };
        renderer.apply(Command::Controls(controls));
        (renderer, commands, callback)
    }

    fn note() -> Command {
        Command::Note(SynthNote {
            onset_frame: 0,
            duration_frames: 48_000 * 60,
            midi: 60,
            velocity: 0.9,
            pan: 0.0,
            brightness: 0.0,
            instrument: Instrument::Chords,
            role: Role::Chords,
        })
    }

    /// Renders `seconds` of sound in callbacks of 1024 frames. Returns the highest absolute value
    /// of the samples.
    fn peak(renderer: &mut Renderer, seconds: f32) -> f32 {
        let mut out = [0.0; 2048];
        let callbacks = (seconds * RATE_HZ as f32 / 1024.0) as u32;
        (0..callbacks).fold(0.0, |peak, _| {
            renderer.fill(&mut out, 2, 0.0);
            out.iter().fold(peak, |peak: f32, x| peak.max(x.abs()))
        })
    }

    #[test]
    fn a_new_stream_keeps_the_settings() {
        let (mut renderer, mut commands, callback) = made();
        assert!(commands.push(note()).is_ok());
        let loud = peak(&mut renderer, 6.0);
        assert!(loud > 0.05, "{loud}");
        renderer.prepare(RATE_HZ);
        let rest = peak(&mut renderer, 3.0);
        assert!(rest < 1e-6, "the sound of the lost stream continues: {rest}");
        assert!(commands.push(note()).is_ok());
        let again = peak(&mut renderer, 6.0);
        assert!((again / loud - 1.0).abs() < 0.1, "{again}, {loud} before");
        callback.fade();
        let fading = peak(&mut renderer, 0.03);
        assert!(fading > 0.01, "the sound ends without a fade: {fading}");
        assert_eq!(peak(&mut renderer, 1.0), 0.0, "faded out");
    }

    /// A lease may be dropped at any time, even while it receives the renderer.
    #[test]
    fn handing_over_never_loses_the_renderer() {
        let (renderer, ..) = made();
        let (returns, returned) = mpsc::sync_channel(1);
        let mut renderer = Box::new(renderer);
        let mut late = 0;
        for round in 0..20_000_u32 {
            let (lease, handover) = Lease::new(returns.clone());
            let ending = thread::spawn(move || {
                for _ in 0..round % 64 {
                    std::hint::spin_loop();
                }
                drop(lease);
            });
            let given = handover.give_renderer(renderer);
            ending.join().unwrap();
            late += u32::from(given.is_some());
            renderer = given.or_else(|| returned.try_recv().ok()).expect("the renderer was returned");
        }
        println!("{late} of 20000 handovers were too late");
    }

    #[test]
    fn interleaving_supports_any_channel_count() {
        let (left, right) = ([1.0, 2.0], [3.0, 4.0]);
        let mut mono = [9.0; 2];
        interleave(&left, &right, &mut mono, 1);
        assert_eq!(mono, [2.0, 3.0]);
        let mut quad = [9.0; 8];
        interleave(&left, &right, &mut quad, 4);
        assert_eq!(quad, [1.0, 3.0, 0.0, 0.0, 2.0, 4.0, 0.0, 0.0]);
    }
}
