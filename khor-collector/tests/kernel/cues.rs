//! Tests cues: each event is sent once, with its process.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use khor_e2e::{Cgroup, Subscriber, load, skip};
use khor_patience::Patience;
use khor_proto::{Cue, CueKind, Scope, Selector};
use tempfile::TempDir;

use crate::{Turn, is_locked_down, turn, worker::Worker};

fn listen(turn: &Turn, cues: &[CueKind]) -> Subscriber {
    Subscriber::new(turn.collector.socket(), Scope::Machine, cues).expect("a subscription")
}

fn wait_for_cue(listener: &mut Subscriber, what: &str, fits: impl Fn(&Cue) -> bool) -> Cue {
    listener.wait_until(what, |listener| listener.cues.iter().any(&fits));
    listener.cues.iter().find(|cue| fits(cue)).expect("just received").clone()
}

#[test]
fn crash_cue_has_name_signal_and_cgroup() {
    const SIGABRT: u32 = 6;
    let Some(turn) = turn() else { return };
    let cgroup = Cgroup::make("/khor-test-crash");
    let mut listener = listen(&turn, &[CueKind::Crash]);
    let worker = Worker::start("abort", cgroup.as_ref());
    let pid = worker.pid();
    let own_cgroup = cgroup.as_ref().map(Cgroup::id);
    let scope = cgroup.as_ref().map(|cgroup| Scope::only(Selector::Cgroup(cgroup.path().into())));
    let scope = scope.unwrap_or(Scope::only(Selector::Process(pid)));
    let mut within =
        Subscriber::new(turn.collector.socket(), scope, &[CueKind::Crash]).expect("a subscription");
    let elsewhere = Scope::only(Selector::Process(std::process::id()));
    let mut elsewhere =
        Subscriber::new(turn.collector.socket(), elsewhere, &[CueKind::Crash]).expect("a subscription");
    worker.work_to_death();
    let crash = wait_for_cue(&mut listener, "the crash", |cue| cue.pid == Some(pid));
    assert_eq!((crash.kind, crash.detail), (CueKind::Crash, Some(SIGABRT)));
    assert!(crash.comm.is_some_and(|comm| !comm.is_empty()));
    if own_cgroup.is_some() {
        assert_eq!(crash.cgroup_id, own_cgroup);
    }
    if !is_locked_down() {
        wait_for_cue(&mut within, "the crash in its scope", |cue| cue.pid == Some(pid));
    }
    elsewhere.sample();
    assert!(elsewhere.cues.is_empty(), "{:?}", elsewhere.cues);
    assert_eq!(listener.cues.iter().filter(|cue| cue.pid == Some(pid)).count(), 1, "once");
}

/// A handled signal is no crash.
#[test]
fn a_handled_signal_is_silent() {
    let Some(turn) = turn() else { return };
    let mut listener = listen(&turn, &[CueKind::Crash]);
    let handled =
        Command::new("sh").args(["-c", "trap true ABRT; kill -ABRT $$; true"]).status().expect("a shell");
    assert!(handled.success());
    std::thread::sleep(Duration::from_millis(100));
    listener.sample();
    assert!(listener.cues.is_empty(), "{:?}", listener.cues);
}

#[test]
fn exec_cues_arrive_or_count_as_lost() {
    let starts = load::scaled(3000_u32);
    let Some(turn) = turn() else { return };
    let mut asks = listen(&turn, &[CueKind::Exec]);
    let mut does_not = listen(&turn, &[CueKind::Oom]);
    load::execs(1);
    let start = wait_for_cue(&mut asks, "the start", |cue| cue.comm.as_deref() == Some("true"));
    assert!(start.kind == CueKind::Exec && start.pid.is_some());
    let before = asks.sample().get(khor_proto::Counter::Execs).expect("execs");
    let (told, lost) = (asks.cues.len() as u64, asks.lost);
    // Read meanwhile: the collector disconnects a client that does not read for some seconds.
    std::thread::scope(|scope| {
        let work = scope.spawn(|| load::execs(starts));
        while !work.is_finished() {
            asks.sample();
        }
    });
    let execs = asks.sample().get(khor_proto::Counter::Execs).expect("execs") - before;
    asks.wait_until("all to be accounted for", |asks| {
        asks.cues.len() as u64 - told + asks.lost - lost >= execs
    });
    println!("{execs} starts: {} told, {} lost", asks.cues.len() as u64 - told, asks.lost - lost);
    assert!(asks.lost > 0 || starts < 1000, "the kernel holds back");
    does_not.sample();
    assert!(does_not.cues.is_empty() && does_not.lost == 0, "{does_not:?}");
}

#[test]
fn oom_victim_sends_cue() {
    let Some(turn) = turn() else { return };
    let Some(limited) = limited_memory() else { return skip("needs the memory controller") };
    let unified = limited.starts_with("/sys/fs/cgroup/khor-test-oom");
    let mut listener = listen(&turn, &[CueKind::Oom]);
    let scope = Scope::only(Selector::Cgroup("/khor-test-oom".into()));
    let mut within =
        Subscriber::new(turn.collector.socket(), scope, &[CueKind::Oom]).expect("a subscription");
    let worker = Worker::start("allocate 256", None);
    let pid = worker.pid();
    std::fs::write(limited.join("cgroup.procs"), pid.to_string()).expect("moving the worker");
    worker.work_to_death();
    let oom = wait_for_cue(&mut listener, "the victim", |cue| cue.pid == Some(pid));
    assert_eq!(oom.kind, CueKind::Oom);
    assert!(oom.comm.is_some(), "{oom:?}");
    if unified && !is_locked_down() {
        wait_for_cue(&mut within, "the victim in its scope", |cue| cue.pid == Some(pid));
    }
    within.sample();
    let _ = std::fs::remove_dir(limited);
}

/// A cgroup of either hierarchy in which 32 MiB is all there is.
fn limited_memory() -> Option<std::path::PathBuf> {
    const LIMIT: &str = "33554432";
    let old = Path::new("/sys/fs/cgroup/memory/khor-test-oom");
    if old.parent().is_some_and(Path::exists) {
        std::fs::create_dir_all(old).ok()?;
        std::fs::write(old.join("memory.limit_in_bytes"), LIMIT).ok()?;
        let _ = std::fs::write(old.join("memory.memsw.limit_in_bytes"), LIMIT); // where swap is counted
        return Some(old.to_owned());
    }
    let cgroup = Cgroup::make("/khor-test-oom")?;
    let directory = cgroup.enable("memory").then(|| cgroup.directory())?;
    std::fs::write(directory.join("memory.max"), LIMIT).ok()?;
    let _ = std::fs::write(directory.join("memory.swap.max"), "0");
    std::mem::forget(cgroup); // the test removes the directory
    Some(directory)
}

#[test]
fn retransmit_bursts_send_one_cue_per_second() {
    let Some(turn) = turn() else { return };
    let mut listener = listen(&turn, &[CueKind::RetransmitBurst]);
    // How much a transfer loses within one second is random, and little on an emulated machine.
    let able = load::in_lossy_namespace(|| {
        let (begun, mut patience) = (Instant::now(), Patience::default());
        while listener.cues.is_empty() && !patience.is_over() {
            println!("trying to lose segments");
            load::lossy_transfer(Duration::from_millis(2500));
            listener.sample();
        }
        begun.elapsed().as_secs()
    });
    let Some(seconds) = able else { return skip("this kernel has neither netem nor tbf") };
    let burst = wait_for_cue(&mut listener, "the burst", |cue| cue.kind == CueKind::RetransmitBurst);
    assert!(burst.detail.is_some_and(|segments| segments >= 32) && burst.pid.is_none(), "{burst:?}");
    let told = listener.cues.len() as u64;
    assert!(told <= seconds + 2, "{told} within {seconds} s: {:?}", listener.cues);
}

/// A disk whose last part does not exist: a loop device on a file system that is too small for its
/// file.
#[test]
fn failed_block_request_sends_cue_and_counts() {
    let Some(turn) = turn() else { return };
    let dir = TempDir::new().expect("a directory");
    let Some(device) = disk_that_fails(dir.path()) else { return skip("needs loop devices") };
    let mut listener = listen(&turn, &[CueKind::BlockError]);
    let errors =
        |listener: &mut Subscriber| listener.sample().get(khor_proto::Counter::IoErrors).expect("errors");
    let before = errors(&mut listener);
    let written = std::fs::OpenOptions::new().write(true).open(&device).and_then(|mut disk| {
        std::io::Write::write_all(&mut disk, &vec![1; 8 << 20])?;
        disk.sync_all()
    });
    assert!(written.is_err(), "the disk is too good");
    let error = wait_for_cue(&mut listener, "the error", |cue| cue.kind == CueKind::BlockError);
    assert_eq!((error.pid, error.comm), (None, None), "it is nobody's");
    assert!(errors(&mut listener) > before);
    run("losetup", &["-d", &device]);
    run("umount", &[&dir.path().display().to_string()]);
}

fn disk_that_fails(dir: &Path) -> Option<String> {
    let (mount_point, file) = (dir.display().to_string(), dir.join("disk").display().to_string());
    run("mount", &["-t", "tmpfs", "-o", "size=1m", "none", &mount_point])?;
    let made = std::fs::File::create(&file).and_then(|file| file.set_len(16 << 20));
    let device = made.ok().and_then(|()| {
        let device = run("losetup", &["-f"])?.trim().to_owned();
        run("losetup", &[&device, &file]).map(|_| device)
    });
    if device.is_none() {
        run("umount", &[&mount_point]);
    }
    device
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
