//! Converts the configuration into the settings of each part.

use std::path::Path;

use khor_fleet::Name;
use khor_output::{audio, midi, osc};
use khor_signal::{PerSignal, Scaling};
use khor_site::SiteSettings;
use khor_source::{DemoSettings, MachineSettings, Playback};

use super::sources::SourceChoice;
use crate::config::{Config, Midi, SiteMode};

/// The settings of the signal task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SignalSettings {
    pub(super) scaling: Scaling,
    pub(super) heard: PerSignal<bool>,
    /// The host of a site that is played as if it were this machine.
    pub(super) single_host: Option<Name>,
    /// How a site is played.
    pub(super) mode: SiteMode,
}

pub(super) fn audio_settings(config: &Config) -> audio::AudioSettings {
    audio::AudioSettings {
        enabled: config.features.audio,
        backend: config.audio.backend.clone(),
        device: config.audio.device.clone(),
        sample_rate_hz: config.audio.sample_rate,
    }
}

/// No targets when OSC is off.
pub(super) fn osc_targets(config: &Config) -> Vec<osc::OscTarget> {
    if config.features.osc { config.osc.all_targets() } else { Vec::new() }
}

pub(super) fn midi_settings(config: &Config) -> Option<midi::MidiSettings> {
    let settings = || {
        let Midi { port, channel, clock } = config.midi.clone();
        midi::MidiSettings { port, melody_channel: channel, clock }
    };
    config.features.midi.then(settings)
}

/// The source that the configuration selects. A `capture` comes before all others, then a site.
pub(super) fn source_choice(config: &Config, socket: &Path, capture: Option<&Playback>) -> SourceChoice {
    let interval_ms = config.bpf.sample_interval_ms;
    let site = config.site.name.parse().ok();
    if let Some(playback) = capture {
        SourceChoice::Capture(playback.clone())
    } else if let Some(name) = site {
        SourceChoice::Site(SiteSettings { name, nats: config.site.nats.clone() })
    } else if config.features.fake {
        SourceChoice::Demo(DemoSettings { seed: config.music.seed, interval_ms })
    } else {
        SourceChoice::Machine(MachineSettings {
            socket: socket.to_owned(),
            use_collector: config.features.bpf,
            scope: config.bpf.scope(),
            interval_ms,
            exec_cues: false,
        })
    }
}

pub(super) fn signal_settings(config: &Config) -> SignalSettings {
    let single_host = config.site.host.as_ref().and_then(|host| host.parse().ok());
    SignalSettings { scaling: config.scaling(), heard: config.heard(), single_host, mode: config.site.mode }
}
