//! The built collector as a process: exit codes, the socket's life, the goodbye.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use khor_e2e::Collector;
use khor_e2e::skip::root_or_skip;
use khor_proto::client::{Client, ClientError};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().expect("the collector")
}

fn code(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().expect("a code"), String::from_utf8_lossy(&text).into_owned())
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
    // setpriv comes with util-linux, as does mount: everywhere.
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--clear-groups", "--"])
        .arg(program())
        .arg("--check")
        .output()
        .expect("setpriv");
    let (code, text) = code(&output);
    assert!(code == 4 && text.contains("CAP_BPF and CAP_PERFMON"), "{code} {text}");
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
    let (code, text) = code(&run(&["--no-dbus", "--socket", first.socket().to_str().expect("UTF-8")]));
    assert!(code == 5 && text.contains("another collector answers at"), "{code} {text}");
    first.sample(); // and the first did not notice
}

#[test]
fn directory_that_everybody_can_write_to_is_refused_with_5() {
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o1777)).expect("its mode");
    let socket = dir.path().join("collector.sock");
    let (code, text) = code(&run(&["--no-dbus", "--socket", socket.to_str().expect("UTF-8")]));
    assert!(code == 5 && text.contains("chmod o-w") && !socket.exists(), "{code} {text}");
}

#[test]
fn socket_is_for_root_and_the_group_and_goes_at_the_end() {
    if !root_or_skip() {
        return;
    }
    let mut collector = Collector::start(program(), &["--no-dbus", "--group", "12345"]);
    let socket = collector.socket().to_owned();
    let file = std::fs::metadata(&socket).expect("the socket");
    assert_eq!((file.permissions().mode() & 0o777, file.uid(), file.gid()), (0o660, 0, 12345));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut client, _) = runtime.block_on(Client::connect(&socket, "e2e")).expect("a connection");
    let status = collector.stop();
    assert_eq!(status.code(), Some(0));
    let goodbye = runtime.block_on(client.sample());
    assert!(matches!(&goodbye, Err(ClientError::Bye { reason }) if reason.contains("stops")), "{goodbye:?}");
    assert!(!socket.exists());
}
