//! Clips: short examples of how machines sound, for users who learn to recognise them. Each clip is
//! a part of a capture of a real machine. The engine renders it in the current preset with the
//! current settings.

use std::{
    convert::Infallible,
    io::Cursor,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use khor_config::Config;
use khor_music::{CueSound, Note, Preset};
use khor_output::file::WavBytes;
use khor_source::{CaptureError, CaptureReader, Recorded};
use khor_synth::{Offline, RenderMode, Samples};

use super::settings::offline_settings;

/// Start of the clip within its capture, in seconds. The engine learns the baseline from the
/// capture before this point. The load begins three seconds after it.
const FROM_S: f64 = 9.0;
/// Length of a clip, in seconds: three quiet seconds, then the load.
pub const CLIP_S: f64 = 16.0;
/// A clip may be up to this many seconds longer than [`CLIP_S`], because it ends with a whole frame
/// of the capture.
const SPARE_S: f64 = 0.25;

/// A clip: a capture and the texts that describe it.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// Name of the clip in the API.
    pub scenario: &'static str,
    /// The title that users see: what the machine does in the clip.
    pub title: &'static str,
    /// What users should listen for to recognise the sound.
    pub listen_for: &'static str,
    capture: &'static [u8],
}

/// A capture of three minutes without load, from the machine that recorded all captures. The engine
/// learns the baseline from it before each clip.
const IDLE_CAPTURE: &[u8] = include_bytes!("../../../captures/idle-long.khor");

/// All clips. The `listen_for` texts depend on presets/mapping.toml, on the registers of
/// `music::VoiceStream` and on the motifs of the cues. If these change, the texts must change too.
pub static CLIPS: [Clip; 9] = [
    Clip {
        scenario: "idle",
        title: "Nothing to do",
        listen_for: "Only the pad, slow and clear, and now and then a single distant note.",
        capture: include_bytes!("../../../captures/idle.khor"),
    },
    Clip {
        scenario: "exec-storm",
        title: "Programs starting all the time",
        listen_for: "The process voice: many high, dry notes, slightly to the right, and a pulse below them.",
        capture: include_bytes!("../../../captures/exec-storm.khor"),
    },
    Clip {
        scenario: "download",
        title: "A large download",
        listen_for: "The receive voice: a falling line in the middle register, on the left, while data arrives.",
        capture: include_bytes!("../../../captures/download.khor"),
    },
    Clip {
        scenario: "upload",
        title: "A large upload",
        listen_for: "The send voice: a rising line on the right, higher than the line of a download.",
        capture: include_bytes!("../../../captures/upload.khor"),
    },
    Clip {
        scenario: "disk",
        title: "A disk hard at work",
        listen_for: "The disk voice: repeated low notes, slightly to the right. The pad gets heavier while tasks wait.",
        capture: include_bytes!("../../../captures/disk.khor"),
    },
    Clip {
        scenario: "compile",
        title: "A compiler on every processor",
        listen_for: "A dense pulse, bursts of high, dry notes, and a pad that gets darker while tasks wait for the CPU.",
        capture: include_bytes!("../../../captures/compile.khor"),
    },
    Clip {
        scenario: "retransmits",
        title: "A network that loses packets",
        listen_for: "The highest voice, with each note played twice, and a short trill when many packets are lost.",
        capture: include_bytes!("../../../captures/retransmits.khor"),
    },
    Clip {
        scenario: "memory-pressure",
        title: "Memory running short",
        listen_for: "Long notes below the middle register, on the left, and a chord that gets more and more dissonant.",
        capture: include_bytes!("../../../captures/memory-pressure.khor"),
    },
    Clip {
        scenario: "crash",
        title: "A program that crashes",
        listen_for: "Three quick high notes and one low note, played twice. Otherwise the machine is quiet.",
        capture: include_bytes!("../../../captures/crash.khor"),
    },
];

/// The sound and the notes of a clip.
#[derive(Clone, Debug, Default)]
pub struct PlayedClip {
    /// Samples of the left channel, at the sample rate of the configuration.
    pub left: Vec<f32>,
    /// Samples of the right channel.
    pub right: Vec<f32>,
    /// The notes, sorted by onset.
    pub notes: Vec<Note>,
}

/// Sound or notes of a clip that is being rendered.
enum Piece<'a> {
    Sound(&'a Samples),
    Notes(&'a [Note]),
}

/// Maximum number of frames of a clip at this sample rate. A frame is one sample of each channel.
fn max_frames(sample_rate_hz: u32) -> usize {
    (f64::from(sample_rate_hz) * (CLIP_S + SPARE_S)) as usize
}

impl Clip {
    /// Finds the clip with the name `scenario`.
    pub fn find(scenario: &str) -> Option<&'static Self> {
        CLIPS.iter().find(|clip| clip.scenario == scenario)
    }

    /// Maximum size of the WAV file, in bytes.
    pub fn max_bytes(config: &Config) -> usize {
        WavBytes::length(max_frames(config.audio.sample_rate))
    }

    /// Renders the clip as a stereo WAV file with 16 bits per sample. Rendering takes a fraction of
    /// a second. Returns `None` if `cancelled` becomes true.
    ///
    /// # Errors
    ///
    /// Fails if the built-in capture cannot be read.
    pub fn render(
        &self,
        config: &Config,
        preset: Preset,
        cancelled: &AtomicBool,
    ) -> Result<Option<Vec<u8>>, CaptureError> {
        let rate = config.audio.sample_rate;
        let mut wav = WavBytes::new(rate, max_frames(rate));
        let is_whole = self.perform(config, preset, cancelled, |piece| {
            if let Piece::Sound(samples) = piece {
                wav.push(&samples.left, &samples.right);
            }
        })?;
        Ok(is_whole.then(|| wav.finish()))
    }

    /// Renders the clip. Returns its samples and its notes.
    ///
    /// # Errors
    ///
    /// Fails if the built-in capture cannot be read.
    pub fn play(&self, config: &Config, preset: Preset) -> Result<PlayedClip, CaptureError> {
        let mut played = PlayedClip::default();
        self.perform(config, preset, &AtomicBool::new(false), |piece| match piece {
            Piece::Sound(samples) => {
                played.left.extend_from_slice(&samples.left);
                played.right.extend_from_slice(&samples.right);
            }
            Piece::Notes(notes) => played.notes.extend_from_slice(notes),
        })?;
        Ok(played)
    }

    /// Renders the clip and passes its sound and notes to `take`, piece by piece. Returns false if
    /// `cancelled` becomes true.
    fn perform(
        &self,
        config: &Config,
        preset: Preset,
        cancelled: &AtomicBool,
        mut take: impl FnMut(Piece),
    ) -> Result<bool, CaptureError> {
        let mut offline = Offline::new(&offline_settings(config, RenderMode::Mix), preset);
        for piece in CaptureReader::new(Cursor::new(IDLE_CAPTURE))? {
            if cancelled.load(Relaxed) {
                return Ok(false);
            }
            if let Recorded::Frame(frame) = piece? {
                offline.learn(frame);
            }
        }
        let mut begin_ns = None;
        for piece in CaptureReader::new(Cursor::new(self.capture))? {
            if cancelled.load(Relaxed) {
                return Ok(false);
            }
            match piece? {
                Recorded::Start(_) => offline.restart(),
                Recorded::Lanes(catalogue) => offline.set_catalogue(&catalogue),
                Recorded::Frame(frame) => {
                    let begin_ns = *begin_ns.get_or_insert(frame.t_ns);
                    if ((frame.t_ns - begin_ns) as f64) < FROM_S * 1e9 {
                        offline.learn(frame);
                        continue;
                    }
                    let rendered = offline.frame::<Infallible>(frame, &mut |samples| {
                        take(Piece::Sound(samples));
                        ControlFlow::Continue(())
                    });
                    debug_assert!(rendered.is_continue());
                    take(Piece::Notes(offline.last_notes()));
                }
                Recorded::Cue(cue) => {
                    if let Some(kind) = CueSound::for_event(cue.kind) {
                        offline.cue(kind);
                    }
                }
                Recorded::Lost { .. } => {}
            }
            if offline.seconds() >= CLIP_S {
                break;
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(wav: &[u8]) -> Vec<f32> {
        let reader = hound::WavReader::new(Cursor::new(wav)).unwrap();
        reader.into_samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32768.0).collect()
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn clip_loads_are_louder_than_idle() {
        let config = Config::default();
        for clip in &CLIPS {
            let cancelled = AtomicBool::new(false);
            let wav = clip.render(&config, Preset::builtin()[0].clone(), &cancelled).unwrap().unwrap();
            let samples = samples(&wav);
            let seconds = samples.len() as f64 / 2.0 / f64::from(config.audio.sample_rate);
            assert!((seconds - CLIP_S).abs() < 0.1, "{}: {seconds} s", clip.scenario);
            let frame = 2 * config.audio.sample_rate as usize;
            let (quiet, load) = (rms(&samples[frame..3 * frame]), rms(&samples[6 * frame..]));
            assert!(quiet > 1e-4, "{}: {quiet}", clip.scenario);
            if !["idle", "crash"].contains(&clip.scenario) {
                assert!(load > 1.2 * quiet, "{}: {quiet}, then {load}", clip.scenario);
            }
        }
    }

    #[test]
    fn a_cancelled_render_has_no_result() {
        let preset = Preset::builtin()[0].clone();
        let rendered = CLIPS[0].render(&Config::default(), preset, &AtomicBool::new(true));
        assert!(rendered.unwrap().is_none());
    }
}
