//! What the configuration asks of each part, in that part's own words.

use std::path::Path;

use super::listener::SignalSettings;
use crate::{
    config::{Config, Midi},
    output::{audio, midi, osc},
    source::{LiveSettings, Playback, SiteSettings},
};

pub(super) fn audio_wanted(config: &Config) -> audio::Wanted {
    audio::Wanted {
        enabled: config.features.audio,
        backend: config.audio.backend.clone(),
        device: config.audio.device.clone(),
        sample_rate_hz: config.audio.sample_rate,
    }
}

/// None when OSC is off.
pub(super) fn osc_wanted(config: &Config) -> Vec<osc::Target> {
    if config.features.osc { config.osc.all_targets() } else { Vec::new() }
}

pub(super) fn midi_wanted(config: &Config) -> Option<midi::Wanted> {
    let wanted = || {
        let Midi { port, channel, clock } = config.midi.clone();
        midi::Wanted { port, melody_channel: channel, clock }
    };
    config.features.midi.then(wanted)
}

pub(super) fn live_settings(config: &Config, socket: &Path, capture: Option<&Playback>) -> LiveSettings {
    LiveSettings {
        socket: socket.to_owned(),
        use_collector: config.features.bpf,
        capture: capture.cloned(),
        site: config.site.name.parse().ok().map(|name| SiteSettings { name, nats: config.site.nats.clone() }),
        demo: config.features.fake,
        scope: config.bpf.scope(),
        interval_ms: config.bpf.sample_interval_ms,
        exec_cues: false,
        seed: config.music.seed,
    }
}

pub(super) fn signal_settings(config: &Config) -> SignalSettings {
    let alone = config.site.host.as_ref().and_then(|host| host.parse().ok());
    SignalSettings { scaling: config.scaling(), heard: config.heard(), alone, mode: config.site.mode }
}
