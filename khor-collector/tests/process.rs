//! Tests the built collector as a process: exit codes, the socket file, and the last message to
//! clients.

use std::{
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixDatagram,
    },
    path::Path,
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use khor_e2e::{
    Collector,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_proto::{
    Availability,
    client::{Client, ClientError},
};
use nix::{
    sys::{
        resource::{RLIM_INFINITY, Resource, setrlimit},
        signal::{Signal, kill},
    },
    unistd::Pid,
};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().expect("starting the collector")
}

fn code(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().expect("the process has an exit code"), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn wrong_usage_is_2() {
    assert_eq!(code(&run(&["--nonsense"])).0, 2);
    if root_or_skip() {
        for arguments in [["--user", "no-such-user"], ["--group", "no-such-group"]] {
            let (code, text) = code(&run(&arguments));
            assert!(code == 2 && text.contains("no such"), "{code} {text}");
        }
    }
}

#[test]
fn missing_capability_is_4_and_named() {
    if !root_or_skip() {
        return;
    }
    // The test needs `setpriv`. Every machine has it, because it belongs to util-linux, like
    // `mount`.
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--clear-groups", "--"])
        .arg(program())
        .arg("--check")
        .output()
        .expect("starting setpriv");
    let (code, text) = code(&output);
    assert!(code == 4 && text.contains("CAP_BPF and CAP_PERFMON"), "{code} {text}");
}

/// Root in a user namespace has all capabilities, but only within the namespace. Such capabilities
/// do not allow loading BPF programs.
#[test]
fn user_namespace_exits_with_4_and_cause() {
    if !root_or_skip() {
        return;
    }
    for arguments in [&["--user", "--map-root-user"][..], &["--user"]] {
        let output = Command::new("unshare").args(arguments).arg(program()).arg("--check").output();
        let output = output.expect("starting unshare");
        if String::from_utf8_lossy(&output.stderr).contains("unshare failed") {
            return skip("needs user namespaces");
        }
        let (code, text) = code(&output);
        assert!(code == 4 && text.contains("user namespace"), "{arguments:?}: {code} {text}");
        assert!(text.contains("start the collector outside"), "{text}");
    }
}

/// Runs `--check` as root without `capabilities`.
fn check_without(capabilities: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new("setpriv");
    let sets = ["--inh-caps", "--bounding-set"].map(|set| format!("{set}={capabilities}"));
    let output = command.args(sets).arg("--").arg(program()).arg("--check").args(arguments).output();
    code(&output.expect("starting setpriv"))
}

#[test]
fn root_without_setuid_exits_with_4() {
    if !root_or_skip() {
        return;
    }
    for (removed, named) in [
        ("-setuid", "root has no CAP_SETUID here"),
        ("-setgid", "root has no CAP_SETGID here"),
        ("-setuid,-setgid", "root has no CAP_SETUID and CAP_SETGID here"),
    ] {
        let (code, text) = check_without(removed, &["--user", "65534"]);
        assert!(code == 4 && text.contains(named) && text.contains("--user root"), "{code} {text}");
        let (code, text) = check_without(removed, &["--user", "root"]);
        assert_eq!(code, 0, "the advice works: {text}");
    }
    // Without CAP_SETPCAP the collector cannot shrink the bounding set, but still works.
    let (code, text) = check_without("-setpcap", &[]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn root_without_capabilities_exits_with_4() {
    if !root_or_skip() {
        return;
    }
    // The capabilities 38 and 39 are CAP_PERFMON and CAP_BPF, which older versions of setpriv do
    // not know by name.
    let (code, text) = check_without("-cap_38,-cap_39", &[]);
    assert!(code == 4 && text.contains("root has no CAP_BPF and CAP_PERFMON here"), "{code} {text}");
    assert!(!text.contains("as root"), "the process is root already: {text}");
}

/// With the mount option `subset=pid`, /proc shows only processes. The counters that need other
/// files of /proc are absent, and the remaining counters work.
#[test]
fn restricted_proc_is_named_as_cause() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("creating a directory");
    let script = dir.path().join("subset");
    let inner = "mount -t proc -o subset=pid proc /proc && exec \"$0\" \"$@\"";
    let text = format!("#!/bin/sh\nexec unshare --mount sh -c '{inner}' '{}' \"$@\"\n", program().display());
    std::fs::write(&script, text).expect("writing the script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("setting the mode");
    let (code, text) = code(&Command::new(&script).arg("--check").output().expect("starting a shell"));
    assert_eq!(code, 0, "{text}");
    let collector = Collector::start(&script, &["--no-dbus"]);
    let reading = collector.sample();
    for name in ["faults", "cpu_stall_us", "mem_stall_us"] {
        let counter = reading.counters().iter().find(|counter| counter.name == name).expect(name);
        let Availability::Absent { reason } = &counter.availability else { panic!("{name} is available") };
        assert!(reason.contains("subset=pid"), "{name}: {reason}");
    }
    assert!(reading.get(khor_proto::Counter::Switches).is_some_and(|switches| switches > 0));
}

#[test]
fn check_lists_every_probe_in_80_columns() {
    if !root_or_skip() {
        return;
    }
    let (code, text) = code(&run(&["--check"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("sched_switch") && text.contains("mem_stall_us"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn second_collector_is_refused_with_5() {
    if !root_or_skip() {
        return;
    }
    let first = Collector::start(program(), &["--no-dbus"]);
    let (code, text) =
        code(&run(&["--no-dbus", "--socket", first.socket().to_str().expect("the path is UTF-8")]));
    assert!(code == 5 && text.contains("another collector answers at"), "{code} {text}");
    first.sample(); // the first collector still works
}

#[test]
fn world_writable_directory_exits_with_5() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("creating a directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o1777)).expect("setting the mode");
    let socket = dir.path().join("collector.sock");
    let (code, text) = code(&run(&["--no-dbus", "--socket", socket.to_str().expect("the path is UTF-8")]));
    assert!(code == 5 && text.contains("chmod o-w") && !socket.exists(), "{code} {text}");
}

#[test]
fn socket_is_for_group_until_exit() {
    if !root_or_skip() {
        return;
    }
    let mut collector = Collector::start(program(), &["--no-dbus", "--group", "12345"]);
    let socket = collector.socket().to_owned();
    let file = std::fs::metadata(&socket).expect("reading the socket file's metadata");
    assert_eq!((file.permissions().mode() & 0o777, file.uid(), file.gid()), (0o660, 0, 12345));

    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starting a runtime");
    let (mut client, _) = runtime.block_on(Client::connect(&socket, "e2e")).expect("connecting");
    let status = collector.stop();
    assert_eq!(status.code(), Some(0));
    let last_message = runtime.block_on(client.sample());
    assert!(
        matches!(&last_message, Err(ClientError::Bye { reason }) if reason.contains("stops")),
        "{last_message:?}"
    );
    assert!(!socket.exists());
}

#[test]
fn printing_to_full_disk_is_error() {
    let checks = root_or_skip();
    for argument in ["--help", "--version", "--check"].into_iter().filter(|word| checks || *word != "--check")
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("opening /dev/full");
        let output =
            Command::new(program()).arg(argument).stdout(full).output().expect("starting the collector");
        let (code, text) = code(&output);
        assert!(
            code == 1 && text.contains("cannot write to the standard output"),
            "{argument}: {code} {text}"
        );
    }
}

/// Closing the terminal stops the collector like SIGTERM, unless the collector runs under `nohup`.
#[test]
fn sighup_stops_collector_unless_ignored() {
    if !root_or_skip() {
        return;
    }
    let mut collector = Collector::start(program(), &["--no-dbus"]);
    assert_eq!(collector.stop_by(Signal::SIGHUP).code(), Some(0), "{}", collector.log());
    assert!(!collector.socket().exists());

    // Like `nohup`, this script ignores SIGHUP and then executes the collector.
    let dir = tempfile::tempdir().expect("creating a directory");
    let script = dir.path().join("nohup");
    let text = format!("#!/bin/sh\ntrap '' HUP\nexec '{}' \"$@\"\n", program().display());
    std::fs::write(&script, text).expect("writing the script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("setting the mode");
    let mut collector = Collector::start(&script, &["--no-dbus"]);
    kill(Pid::from_raw(collector.pid() as i32), Signal::SIGHUP).expect("sending a signal");
    collector.sample();
    assert_eq!(collector.stop().code(), Some(0), "{}", collector.log());
}

/// The collector notifies systemd when it is ready, regularly while it runs, and when it stops.
#[test]
fn readiness_liveness_and_stop_are_reported() {
    if !root_or_skip() {
        return;
    }
    let dir = Arc::new(tempfile::tempdir().expect("creating a directory"));
    // The collector changes to another user before it sends notifications. This user needs access
    // to systemd's socket.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("setting the mode");
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("creating a socket");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).expect("setting the mode");
    systemd.set_read_timeout(Some(khor_patience::hang_timeout())).expect("setting a time limit");
    let notification = || {
        let mut word = [0; 64];
        let length = systemd.recv(&mut word).expect("a notification");
        String::from_utf8_lossy(&word[..length]).into_owned()
    };
    let path = path.to_str().expect("the path is UTF-8");
    let environment = [("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "1000000")];
    let mut collector = Collector::start_with(&dir, program(), &["--no-dbus"], &environment);
    let mut words = vec![notification(), notification(), notification()];
    let begun = Instant::now();
    words.push(notification());
    let took = begun.elapsed().div_f64(khor_patience::slowness());
    assert!(
        took < Duration::from_secs(1),
        "systemd expects two notifications in a second; one took {took:?}"
    );
    assert!(words.iter().any(|word| word.trim() == "READY=1"), "{words:?}");
    assert_eq!(words.iter().filter(|word| word.trim() == "WATCHDOG=1").count(), 3, "{words:?}");
    assert_eq!(collector.stop().code(), Some(0));
    while notification().trim() != "STOPPING=1" {}
}

/// The collector serves on a socket that systemd passes to it, and does not remove the socket's
/// file when it stops.
#[test]
fn systemd_socket_is_used_and_kept() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("creating a directory");
    let socket = dir.path().join("collector.sock");
    let started = Command::new("systemd-socket-activate")
        .arg("--listen")
        .arg(&socket)
        .args([
            program().to_str().expect("the path is UTF-8"),
            "--no-dbus",
            "--socket",
            "/nonexistent/elsewhere.sock",
        ])
        .stderr(std::process::Stdio::null())
        .spawn();
    let Ok(mut collector) = started else { return skip("needs systemd-socket-activate") };
    wait_until("the socket", || socket.exists());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starting a runtime");
    let (mut client, _) =
        runtime.block_on(Client::connect(&socket, "e2e")).expect("the first client starts the collector");
    runtime.block_on(async {
        client.subscribe(khor_proto::Subscribe::default()).await.expect("subscribing to the collector");
        client.sample().await.expect("receiving a sample");
    });
    kill(Pid::from_raw(collector.id() as i32), Signal::SIGTERM).expect("sending a signal");
    assert!(collector.wait().expect("the collector's exit status").success());
    assert!(socket.exists(), "the socket file belongs to systemd");
}

/// In this test, the collector runs as under systemd: as an unprivileged user with only
/// `CAP_BPF` and `CAP_PERFMON`.
#[test]
fn two_capabilities_suffice() {
    if !root_or_skip() {
        return;
    }
    // Before Linux 5.11, BPF maps and programs count towards RLIMIT_MEMLOCK, the limit of locked
    // memory. The collector inherits this limit.
    let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY); // newer kernels do not need it, and may forbid it
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["--inh-caps", "--ambient-caps", "--bounding-set"].map(|set| format!("{set}=-all,{CAPS}")))
        .arg("--")
        .arg(program())
        .arg("--check")
        .output()
        .expect("starting setpriv");
    let (code, text) = code(&output);
    assert_eq!(code, 0, "{text}");
    let absent: Vec<_> = text.lines().filter(|line| line.contains(" absent: ")).collect();
    // Some machines do not allow BPF programs to attach to functions.
    let functions = ["sk_filter_trim_cap", "ip_output", "ip_mc_output", "ip6_output"];
    let known = |line: &&str| {
        functions.iter().any(|name| line.starts_with(name))
            || line.contains("the kernel is locked down")
            || line.starts_with("missed_events") && line.contains("this kernel does not count missed events")
    };
    assert!(absent.iter().all(known), "{absent:?}");
    assert!(text.contains("sched_switch           attached"), "{text}");
}

/// `CAP_PERFMON` and `CAP_BPF`. Older versions of setpriv know only their numbers.
const CAPS: &str = "+cap_38,+cap_39";
