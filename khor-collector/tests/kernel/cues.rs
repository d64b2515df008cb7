//! Tests that each event sends one cue, with its process.

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

fn subscribe(turn: &Turn, cues: &[CueKind]) -> Subscriber {
    Subscriber::new(turn.collector.socket(), Scope::Machine, cues).expect("subscribing to the collector")
}

fn wait_for_cue(subscriber: &mut Subscriber, what: &str, fits: impl Fn(&Cue) -> bool) -> Cue {
    subscriber.wait_until(what, |subscriber| subscriber.cues.iter().any(&fits));
    subscriber.cues.iter().find(|cue| fits(cue)).expect("the cue was just received").clone()
}

#[test]
fn crash_cue_has_name_signal_and_cgroup() {
    const SIGABRT: u32 = 6;
    let Some(turn) = turn() else { return };
    let cgroup = Cgroup::make("/khor-test-crash");
    let mut subscriber = subscribe(&turn, &[CueKind::Crash]);
    let worker = Worker::start("abort", cgroup.as_ref());
    let pid = worker.pid();
    let own_cgroup = cgroup.as_ref().map(Cgroup::id);
    let scope = cgroup.as_ref().map(|cgroup| Scope::only(Selector::Cgroup(cgroup.path().into())));
    let scope = scope.unwrap_or(Scope::only(Selector::Process(pid)));
    let mut within = Subscriber::new(turn.collector.socket(), scope, &[CueKind::Crash])
        .expect("subscribing to the collector");
    let outside = Scope::only(Selector::Process(std::process::id()));
    let mut outside = Subscriber::new(turn.collector.socket(), outside, &[CueKind::Crash])
        .expect("subscribing to the collector");
    worker.work_to_death();
    let crash = wait_for_cue(&mut subscriber, "the crash", |cue| cue.pid == Some(pid));
    assert_eq!((crash.kind, crash.detail), (CueKind::Crash, Some(SIGABRT)));
    assert!(crash.comm.is_some_and(|comm| !comm.is_empty()));
    if own_cgroup.is_some() {
        assert_eq!(crash.cgroup_id, own_cgroup);
    }
    if !is_locked_down() {
        wait_for_cue(&mut within, "the crash in its scope", |cue| cue.pid == Some(pid));
    }
    outside.sample();
    assert!(outside.cues.is_empty(), "{:?}", outside.cues);
    assert_eq!(subscriber.cues.iter().filter(|cue| cue.pid == Some(pid)).count(), 1, "the cue is sent once");
}

/// A signal that the process handles is not a crash.
#[test]
fn a_handled_signal_sends_no_cue() {
    let Some(turn) = turn() else { return };
    let mut subscriber = subscribe(&turn, &[CueKind::Crash]);
    let handled = Command::new("sh")
        .args(["-c", "trap true ABRT; kill -ABRT $$; true"])
        .status()
        .expect("starting a shell");
    assert!(handled.success());
    std::thread::sleep(Duration::from_millis(100));
    subscriber.sample();
    assert!(subscriber.cues.is_empty(), "{:?}", subscriber.cues);
}

#[test]
fn exec_cues_arrive_or_count_as_lost() {
    let starts = load::scaled(3000_u32);
    let Some(turn) = turn() else { return };
    let mut with_execs = subscribe(&turn, &[CueKind::Exec]);
    let mut without_execs = subscribe(&turn, &[CueKind::Oom]);
    load::execs(1);
    let start = wait_for_cue(&mut with_execs, "the start", |cue| cue.comm.as_deref() == Some("true"));
    assert!(start.kind == CueKind::Exec && start.pid.is_some());
    let before = with_execs.sample().get(khor_proto::Counter::Execs).expect("the counter is available");
    let (cues, lost) = (with_execs.cues.len() as u64, with_execs.lost);
    // The subscriber must read its messages during the work, because the collector would otherwise
    // disconnect it.
    std::thread::scope(|scope| {
        let work = scope.spawn(|| load::execs(starts));
        while !work.is_finished() {
            with_execs.sample();
        }
    });
    let execs =
        with_execs.sample().get(khor_proto::Counter::Execs).expect("the counter is available") - before;
    with_execs.wait_until("each start to be received or lost", |with_execs| {
        with_execs.cues.len() as u64 - cues + with_execs.lost - lost >= execs
    });
    println!(
        "{execs} starts: {} received, {} lost",
        with_execs.cues.len() as u64 - cues,
        with_execs.lost - lost
    );
    assert!(with_execs.lost > 0 || starts < 1000, "the kernel limits the cues");
    without_execs.sample();
    assert!(without_execs.cues.is_empty() && without_execs.lost == 0, "{without_execs:?}");
}

#[test]
fn oom_victim_sends_cue() {
    let Some(turn) = turn() else { return };
    let Some(limited) = limited_memory() else { return skip("needs the memory controller") };
    let unified = limited.starts_with("/sys/fs/cgroup/khor-test-oom");
    let mut subscriber = subscribe(&turn, &[CueKind::Oom]);
    let scope = Scope::only(Selector::Cgroup("/khor-test-oom".into()));
    let mut within = Subscriber::new(turn.collector.socket(), scope, &[CueKind::Oom])
        .expect("subscribing to the collector");
    let worker = Worker::start("allocate 256", None);
    let pid = worker.pid();
    std::fs::write(limited.join("cgroup.procs"), pid.to_string()).expect("moving the worker into the cgroup");
    worker.work_to_death();
    let oom = wait_for_cue(&mut subscriber, "the victim", |cue| cue.pid == Some(pid));
    assert_eq!(oom.kind, CueKind::Oom);
    assert!(oom.comm.is_some(), "{oom:?}");
    if unified && !is_locked_down() {
        wait_for_cue(&mut within, "the victim in its scope", |cue| cue.pid == Some(pid));
    }
    within.sample();
    let _ = std::fs::remove_dir(limited);
}

/// Creates a cgroup with at most 32 MiB of memory, in the old or the unified hierarchy.
fn limited_memory() -> Option<std::path::PathBuf> {
    const LIMIT: &str = "33554432";
    let old = Path::new("/sys/fs/cgroup/memory/khor-test-oom");
    if old.parent().is_some_and(Path::exists) {
        std::fs::create_dir_all(old).ok()?;
        std::fs::write(old.join("memory.limit_in_bytes"), LIMIT).ok()?;
        let _ = std::fs::write(old.join("memory.memsw.limit_in_bytes"), LIMIT); // only if the kernel counts swap
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
    let mut subscriber = subscribe(&turn, &[CueKind::RetransmitBurst]);
    // A burst needs many lost segments within one second. The number of lost segments is random,
    // and low on an emulated machine. So repeat the transfer until there is a burst.
    let took_s = load::in_lossy_namespace(|| {
        let (begun, mut patience) = (Instant::now(), Patience::default());
        while subscriber.cues.is_empty() && !patience.is_over() {
            println!("sending over a lossy link");
            load::lossy_transfer(Duration::from_millis(2500));
            subscriber.sample();
        }
        begun.elapsed().as_secs()
    });
    let Some(seconds) = took_s else { return skip("this kernel has neither netem nor tbf") };
    let burst = wait_for_cue(&mut subscriber, "the burst", |cue| cue.kind == CueKind::RetransmitBurst);
    assert!(burst.detail.is_some_and(|segments| segments >= 32) && burst.pid.is_none(), "{burst:?}");
    let cues = subscriber.cues.len() as u64;
    assert!(cues <= seconds + 2, "{cues} within {seconds} s: {:?}", subscriber.cues);
}

/// In this test, a write to a disk fails. The disk is a loop device of 16 MiB, whose file is in a
/// file system of only 1 MiB.
#[test]
fn failed_block_request_sends_cue_and_counts() {
    let Some(turn) = turn() else { return };
    let dir = TempDir::new().expect("creating a directory");
    let Some(device) = disk_that_fails(dir.path()) else { return skip("needs loop devices") };
    let mut subscriber = subscribe(&turn, &[CueKind::BlockError]);
    let errors = |subscriber: &mut Subscriber| {
        subscriber.sample().get(khor_proto::Counter::IoErrors).expect("the counter is available")
    };
    let before = errors(&mut subscriber);
    let written = std::fs::OpenOptions::new().write(true).open(&device).and_then(|mut disk| {
        std::io::Write::write_all(&mut disk, &vec![1; 8 << 20])?;
        disk.sync_all()
    });
    assert!(written.is_err(), "the disk does not fail");
    let error = wait_for_cue(&mut subscriber, "the error", |cue| cue.kind == CueKind::BlockError);
    assert_eq!((error.pid, error.comm), (None, None), "the request has no process");
    assert!(errors(&mut subscriber) > before);
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
