//! Tests the real-time priority of the playing thread in three cases: the kernel grants it, only
//! rtkit grants it, or neither grants it.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use khor_e2e::{
    Bus, Engine, Pulse,
    procfs::real_time_threads,
    skip::{root_or_skip, skip},
    wait_until,
};
use serde_json::Value;

/// Command that runs the engine as root without the right to raise priorities. So the engine must
/// request the priority from rtkit, as for other users.
const UNPRIVILEGED: [&str; 3] = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"];

/// Waits for the result of the engine's request for real-time priority.
fn priority(engine: &Engine) -> Value {
    wait_until("a reported priority", || engine.get("/api/health")["audio"]["priority"].is_object());
    engine.get("/api/health")["audio"]["priority"].clone()
}

#[test]
fn playing_thread_has_real_time_priority() {
    if !root_or_skip() {
        return;
    }
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(Path::new("/nonexistent"), &["--fake"], &pulse.environment());
    let granted = priority(&engine);
    assert_eq!(
        (&granted["real_time"], &granted["granted_by"]),
        (&true.into(), &"limits".into()),
        "{granted}"
    );
    let first = real_time_threads(engine.pid());
    assert_eq!(first.len(), 1, "number of real-time threads; only the playing thread should be one");

    pulse.kill();
    wait_until("the loss of the device to be reported", || !engine.health().audio.health.ok);
    assert!(pulse.restart());
    wait_until("the priority of the new stream", || {
        engine.health().audio.priority.is_some_and(|priority| priority.real_time)
    });
    let second = real_time_threads(engine.pid());
    assert!(
        second.len() == 1 && second != first,
        "real-time threads: {first:?} before the restart, {second:?} after it"
    );
}

/// A daemon on the test's system bus; killed when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(program: &str, arguments: &[&str], bus: &Bus) -> Option<Self> {
        let child = Command::new(program)
            .args(arguments)
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        child.ok().map(Self)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn rtkit_grants_priority_but_is_optional() {
    if !root_or_skip() {
        return;
    }
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let Some(bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    let address = bus.address();
    let [runtime, cookie] = pulse.environment();
    let environment = [runtime, cookie, ("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())];
    let start = || Engine::start_through(&UNPRIVILEGED, Path::new("/nonexistent"), &["--fake"], &environment);

    let without = start();
    let denied = priority(&without);
    assert!(denied["real_time"] == false && denied["error"].is_string(), "{denied}");
    assert!(denied["fix"].as_str().is_some_and(|fix| fix.contains("rtkit")), "{denied}");
    wait_until("sound without the priority", || without.health().audio.health.ok);
    assert!(real_time_threads(without.pid()).is_empty());
    drop(without);

    let Some(_polkit) = Daemon::start("/usr/lib/polkit-1/polkitd", &["--no-debug"], &bus) else {
        return skip("needs polkitd");
    };
    wait_until("polkit on the bus", || bus.busctl(&["status", "org.freedesktop.PolicyKit1"]).is_some());
    let Some(_rtkit) = Daemon::start("/usr/libexec/rtkit-daemon", &[], &bus) else {
        return skip("needs rtkit");
    };
    wait_until("rtkit on the bus", || bus.busctl(&["status", "org.freedesktop.RealtimeKit1"]).is_some());
    let engine = start();
    let granted = priority(&engine);
    assert_eq!((&granted["real_time"], &granted["granted_by"]), (&true.into(), &"rtkit".into()), "{granted}");
    assert_eq!(real_time_threads(engine.pid()).len(), 1);
}
