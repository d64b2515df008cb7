//! Checks the user's session: sound, real-time priority, MIDI, clock and time zone.

use std::{fs::OpenOptions, io, path::Path};

use khor_api::{Check, Trouble};
use khor_config::Config;
use khor_output::audio;
use khor_source::Shortfall;
use khor_system::local_time::Local;
use nix::sys::resource::{Resource, getrlimit};

use super::{check::DoctorInput, system_bus};
use crate::engine::osc_targets;

const SEQUENCER: &str = "/dev/snd/seq";
const RTKIT: &str = "org.freedesktop.RealtimeKit1";

pub(super) async fn examine(input: &DoctorInput) -> Vec<Check> {
    let config = &input.config;
    vec![
        sound(input).await,
        priority().await,
        midi(config.features.midi),
        clock(config).await,
        time_zone(input),
    ]
}

async fn sound(input: &DoctorInput) -> Check {
    let (name, config) = ("sound", &input.config);
    if !config.features.audio {
        return Check::off(name, "switched off (features.audio)");
    }
    // Without a sound server, the engine holds the sound card while it plays, so this check cannot
    // open the card.
    if let Some(audio) = input.own_health().map(|health| &health.audio).filter(|audio| audio.health.ok) {
        let [device, backend] = [&audio.device, &audio.backend].map(|name| name.as_deref().unwrap_or("?"));
        return Check::ok(name, format!("playing on {device} through {backend}"));
    }
    let config = config.audio.clone();
    let (is_default, wanted) = (config.device.is_empty(), config.device.clone());
    // The probe runs in a blocking thread, because a sound server may never answer.
    let tried = tokio::task::spawn_blocking(move || {
        audio::probe(&config.backend, &config.device, config.sample_rate)
    });
    match tried.await.unwrap_or_else(|problem| Err(problem.to_string())) {
        Ok(device) => Check::ok(name, device),
        Err(problem) if is_default => Check::problem(
            name,
            problem,
            "start PipeWire or PulseAudio in this session, or plug in a sound card; or listen on \
             another machine: use the page's button Listen here or /api/listen.wav",
        ),
        Err(problem) => Check::problem(
            name,
            format!("{wanted}: {problem}"),
            "choose another device (khor devices lists them), or plug this one in again",
        ),
    }
}

/// Checks whether the sound thread can get real-time priority.
async fn priority() -> Check {
    let name = "real-time";
    let by_limits = nix::unistd::geteuid().is_root()
        || getrlimit(Resource::RLIMIT_RTPRIO).is_ok_and(|(_, hard)| hard > 0);
    if by_limits {
        return Check::ok(name, "this user may use real-time priority");
    }
    let rtkit = match system_bus::connect().await {
        Some(bus) => system_bus::can_be_started(&bus, RTKIT).await,
        None => None,
    };
    if rtkit == Some(true) {
        return Check::ok(name, "rtkit can grant real-time priority");
    }
    Check::off(
        name,
        "this user may not use real-time priority, and there is no rtkit; if the sound stutters on a busy machine, \
         install rtkit, or add `@audio - rtprio 20` to a file in /etc/security/limits.d",
    )
}

fn midi(wanted: bool) -> Check {
    let name = "midi";
    if !wanted {
        return Check::off(name, "switched off (features.midi)");
    }
    match OpenOptions::new().read(true).write(true).open(Path::new(SEQUENCER)) {
        Ok(_) => Check::ok(name, format!("this user can open {SEQUENCER}")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Check::problem(
            name,
            format!("cannot open {SEQUENCER}: {error}"),
            "sudo usermod --append --groups audio $USER, then log out and in again",
        ),
        Err(error) => Check::problem(
            name,
            format!("cannot open {SEQUENCER}: {error}"),
            "load the kernel's sequencer: sudo modprobe snd-seq",
        ),
    }
}

/// If khor sends OSC to other machines, checks whether the clock is synchronised. A receiver plays
/// each message at the time in the time tag of the message.
async fn clock(config: &Config) -> Check {
    let name = "clock";
    let elsewhere = osc_targets(config).iter().any(|target| !is_local(&target.host));
    if !elsewhere {
        return Check::off(name, "not needed: khor sends no OSC to other machines");
    }
    let synchronised = match system_bus::connect().await {
        Some(bus) => system_bus::clock_is_synchronised(&bus).await,
        None => None,
    };
    match synchronised {
        Some(true) => Check::ok(name, "synchronised"),
        Some(false) => Check::problem(
            name,
            "not synchronised: other machines may play OSC messages too early or too late",
            "sudo timedatectl set-ntp true",
        ),
        None => Check::off(name, "unknown, because systemd's timedated does not answer"),
    }
}

/// Checks the time zone, because quiet hours use it. If an engine runs, its time zone is checked,
/// because a service and a shell may have different environments.
fn time_zone(input: &DoctorInput) -> Check {
    let name = "time zone";
    let (zone, trouble) = if let Some(health) = input.own_health() {
        (health.time.zone.clone(), health.time.trouble.clone())
    } else {
        let local = Local::now();
        (local.name(), local.problem.map(|Shortfall { error, fix }| Trouble::new(error, fix)))
    };
    match trouble {
        Some(Trouble { error, fix }) => Check::problem(name, error, fix.unwrap_or_default()),
        None => Check::ok(name, zone),
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
