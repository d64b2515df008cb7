//! `org.mpris.MediaPlayer2`: khor as a media player for the desktop. Media keys, panel applets and
//! `playerctl` control it.
//!
//! The command Play unmutes the sound device, and Pause mutes it. Next and Previous select a
//! preset. The title of the track is a sentence about the machine. Clients cannot seek or open
//! files, because the music follows the machine.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use khor_api::Health;
use khor_config::ConfigPatch;
use khor_proto::inert;
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;
use zbus::{ObjectPath, Variant, fdo, interface, object_server::InterfaceRef};

use super::{
    session_bus::{POLL_INTERVAL, POLLS_PER_SLOW_UPDATE, replace_if_changed, session},
    steer,
};
use crate::engine::Engine;

pub(super) const NAME: &str = "org.mpris.MediaPlayer2.khor";
const PATH: &str = "/org/mpris/MediaPlayer2";
/// The id of the only track, which never ends.
const TRACK: ObjectPath<'static> = ObjectPath::from_static_str_unchecked("/org/khor/track/machine");

/// The interface `org.mpris.MediaPlayer2`, which describes the program.
struct Root;

#[expect(clippy::unused_self, reason = "zbus needs a method for each property, even for a constant one")]
#[interface(name = "org.mpris.MediaPlayer2")]
impl Root {
    #[zbus(property(emits_changed_signal = "const"))]
    fn can_quit(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_raise(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn has_track_list(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn identity(&self) -> &'static str {
        "khor"
    }

    /// Name of the desktop file in `packaging/desktop`, without its extension.
    #[zbus(property(emits_changed_signal = "const"))]
    fn desktop_entry(&self) -> &'static str {
        "org.khor.Khor"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_uri_schemes(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_mime_types(&self) -> Vec<String> {
        Vec::new()
    }

    /// Has no effect: `CanRaise` is false.
    fn raise(&self) {}

    /// Has no effect: `CanQuit` is false. The user stops the engine with its systemd unit.
    fn quit(&self) {}
}

/// The interface `org.mpris.MediaPlayer2.Player`, which controls the sound.
struct Player {
    engine: Arc<Engine>,
    /// Whether a client has set a volume that is not in the configuration file yet.
    unsaved: Arc<AtomicBool>,
}

#[expect(clippy::unused_self, reason = "zbus needs a method for each property, even for a constant one")]
#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Player {
    async fn next(&self) -> fdo::Result<()> {
        steer::step_preset(&self.engine, 1).await
    }

    async fn previous(&self) -> fdo::Result<()> {
        steer::step_preset(&self.engine, -1).await
    }

    fn play(&self) {
        self.engine.set_muted(false);
    }

    fn pause(&self) {
        self.engine.set_muted(true);
    }

    /// Toggles the mute. During a snooze or quiet hours, the player is shown as paused, so this
    /// method unmutes.
    fn play_pause(&self) {
        self.engine.set_muted(!self.engine.is_muted());
    }

    fn stop(&self) {
        self.engine.set_muted(true);
    }

    /// Has no effect: `CanSeek` is false.
    fn seek(&self, offset: i64) {
        debug!("ignored a request to seek by {offset} us: khor's track has no beginning or end");
    }

    /// Has no effect: `CanSeek` is false.
    fn set_position(&self, track_id: ObjectPath<'_>, position: i64) {
        debug!(
            "ignored a request to seek to {position} us in {track_id}: khor's track has no beginning or end"
        );
    }

    fn open_uri(&self, uri: &str) -> fdo::Result<()> {
        Err(fdo::Error::NotSupported(format!("cannot open {uri}: khor cannot play files")))
    }

    #[zbus(property)]
    fn playback_status(&self) -> &'static str {
        if self.engine.is_muted() { "Paused" } else { "Playing" }
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn rate(&self) -> f64 {
        1.0
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn minimum_rate(&self) -> f64 {
        1.0
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn maximum_rate(&self) -> f64 {
        1.0
    }

    #[zbus(property)]
    fn metadata(&self) -> HashMap<&'static str, Variant<'static>> {
        let Track { title, album } = Track::of(&self.engine);
        HashMap::from([
            ("mpris:trackid", Variant::from(TRACK)),
            ("xesam:title", Variant::from(title)),
            ("xesam:artist", Variant::from(vec!["khor"])),
            ("xesam:album", Variant::from(album)),
        ])
    }

    /// Volume of the sound device, 0..=1.
    #[zbus(property)]
    fn volume(&self) -> f64 {
        volume(&self.engine)
    }

    #[zbus(property)]
    async fn set_volume(&self, volume: f64) -> fdo::Result<()> {
        let mut change = ConfigPatch::default();
        change.audio.master_gain = Some(gain(volume)? as f32);
        self.unsaved.store(true, Relaxed);
        steer::change(&self.engine, move |engine| engine.adjust_config(&change)).await
    }

    /// Position in the track, in microseconds. It is always 0, because the track has no beginning.
    #[zbus(property(emits_changed_signal = "false"))]
    fn position(&self) -> i64 {
        0
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_go_next(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_go_previous(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_play(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_pause(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_seek(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_control(&self) -> bool {
        true
    }
}

/// Converts a volume that a client sets to a gain, 0..=1. MPRIS requires that a negative volume
/// becomes zero. It also allows volumes above 1.0; khor sets these to 1.0 instead of rejecting
/// them.
fn gain(volume: f64) -> fdo::Result<f64> {
    if volume.is_nan() {
        return Err(fdo::Error::InvalidArgs("Volume: NaN is not allowed, expected 0.0 to 1.0".to_owned()));
    }
    Ok(volume.clamp(0.0, 1.0))
}

/// The configured volume, 0..=1. It is rounded to remove the digits that the conversion to `f64`
/// adds.
fn volume(engine: &Engine) -> f64 {
    (f64::from(engine.controls().master_gain) * 1e6).round() / 1e6
}

/// The music that plays now, in the form of an MPRIS track.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Track {
    title: String,
    album: String,
}

impl Track {
    fn of(engine: &Engine) -> Self {
        let album = inert::owned_line(engine.controls().preset);
        Self { title: engine.explain().sentence, album }
    }
}

/// Serves the media player until the connection to the bus ends.
pub(super) async fn run(engine: &Arc<Engine>, report: impl Fn(Health)) -> zbus::Result<()> {
    let mut published = Published::of(engine);
    let unsaved = Arc::new(AtomicBool::new(false));
    let player = Player { engine: Arc::clone(engine), unsaved: Arc::clone(&unsaved) };
    let connection = session().serve_at(PATH, Root).serve_at(PATH, player).name(NAME).build().await?;
    report(Health::working());
    let interface = connection.object_server().interface::<_, Player>(PATH).await?;
    let mut polls = interval(POLL_INTERVAL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => published.publish_changes(engine, &interface, &unsaved).await?,
            () = connection.closed() => return Ok(()),
        }
    }
}

/// The values that were last published on the bus.
struct Published {
    polls: u32,
    muted: bool,
    volume: f64,
    track: Track,
}

impl Published {
    fn of(engine: &Engine) -> Self {
        Self { polls: 0, muted: engine.is_muted(), volume: volume(engine), track: Track::of(engine) }
    }

    /// Publishes changed values. Mute, volume and preset are checked at each poll, the sentence
    /// once a second.
    async fn publish_changes(
        &mut self,
        engine: &Arc<Engine>,
        interface: &InterfaceRef<Player>,
        unsaved: &AtomicBool,
    ) -> zbus::Result<()> {
        let (emitter, served) = (interface.signal_emitter(), interface.get().await);
        if replace_if_changed(&mut self.muted, engine.is_muted()) {
            served.playback_status_changed(emitter).await?;
        }
        if replace_if_changed(&mut self.volume, volume(engine)) {
            served.volume_changed(emitter).await?;
        }
        self.polls += 1;
        let is_slow_update = self.polls.is_multiple_of(POLLS_PER_SLOW_UPDATE);
        let track = Track::of(engine);
        if (is_slow_update || track.album != self.track.album) && replace_if_changed(&mut self.track, track) {
            served.metadata_changed(emitter).await?;
        }
        if is_slow_update && unsaved.swap(false, Relaxed) {
            // While a client moves its volume slider, the volume is saved once a second.
            steer::save(engine).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_clamped_or_rejected() {
        for (volume, expected) in [
            (0.3, 0.3),
            (-0.0, 0.0),
            (-3.0, 0.0),
            (1.5, 1.0),
            (1e300, 1.0),
            (f64::INFINITY, 1.0),
            (f64::NEG_INFINITY, 0.0),
        ] {
            assert_eq!(gain(volume), Ok(expected), "{volume}");
        }
        let refusal = gain(f64::NAN).unwrap_err().to_string();
        assert!(refusal.contains("Volume") && refusal.contains("0.0 to 1.0"), "{refusal}");
    }
}
