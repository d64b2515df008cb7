//! Tests the package khor-relay: installation without a sound library, replacement by khor, and
//! purge.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use khor_e2e::libraries::beyond_the_c_library;
use khor_fleet::{Frame, Message, Source};

use crate::unit::{SERVICE, outcome_of, output_of, require_test_machine, subscribe, wait_for};

const RELAY_PACKAGE: &str = "/usr/lib/khor-e2e/khor-relay.deb";
const KHOR_PACKAGE: &str = "/usr/lib/khor-e2e/khor.deb";
const PROGRAM: &str = "/usr/bin/khor-relay";
const UNIT: &str = "khor-relay.service";
const ENV: &str = "/etc/khor/relay.env";
const SERVER: &str = "127.0.0.1:4222";
/// Longest wait for a frame before the test checks whether it hangs.
const LOOK: Duration = Duration::from_millis(500);

/// A NATS server without users; killed when dropped.
struct Server(Child);

impl Server {
    fn start() -> Self {
        let mut server = Command::new("/usr/sbin/nats-server");
        let server = server.args(["-a", "127.0.0.1", "-p", "4222"]).stderr(Stdio::null()).spawn();
        let server = Self(server.expect("starting nats-server"));
        wait_for("the NATS server to accept connections", || TcpStream::connect(SERVER).ok());
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the next frame of the relay.
fn frame() -> Frame {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("creating a tokio runtime");
    let (_client, mut frames) = runtime.block_on(async {
        let client = async_nats::connect(SERVER).await.expect("an open connection");
        let frames = client.subscribe("khor.v1.vm.*.frame").await.expect("an accepted subscription");
        client.flush().await.expect("flushing the subscription");
        (client, frames)
    });
    let next = || runtime.block_on(async { tokio::time::timeout(LOOK, frames.next()).await.ok().flatten() });
    let message = wait_for("a frame of the relay", next);
    Frame::read(&message.payload).expect("decoding a frame")
}

/// Checks that the relay of the installed package runs, is enabled, and sends the collector's
/// counts. Returns its process ID.
fn check_the_relay() -> String {
    assert_eq!(output_of(&format!("systemctl is-active {UNIT}")), "active");
    assert_eq!(output_of(&format!("systemctl is-enabled {UNIT}")), "enabled");
    let pid = output_of(&format!("systemctl show --property=MainPID --value {UNIT}"));
    // If the program's file has been replaced since the relay started, this link ends in
    // "(deleted)". So this check also detects a relay that was not restarted.
    let program = fs::read_link(format!("/proc/{pid}/exe")).expect("the link to the relay's program");
    assert_eq!(program, Path::new(PROGRAM));
    wait_for("a frame of the collector's counts", || (frame().source == Source::Collector).then_some(()));
    pid
}

/// Path of the package file of the sound library that debootstrap has installed.
fn sound_library() -> String {
    let files = fs::read_dir("/var/cache/apt/archives")
        .expect("reading the folder of debootstrap's packages")
        .flatten();
    let mut paths = files.map(|file| file.path().display().to_string());
    paths.find(|path| path.contains("/libasound2_")).expect("a package file of libasound2")
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn relay_package_needs_no_sound_library() {
    require_test_machine();
    let (_server, sound_library) = (Server::start(), sound_library());
    fs::write(ENV, format!("KHOR_SITE=vm\nKHOR_NATS=nats://{SERVER}\n")).expect("writing the variables");
    output_of(&format!("systemctl enable --now {UNIT}"));
    let of_khor = check_the_relay();

    // dpkg removes khor after it has unpacked khor-relay.
    output_of("dpkg --force-depends --remove libasound2");
    println!("{}", output_of(&format!("dpkg --install {RELAY_PACKAGE}")));
    let of_khor_relay = check_the_relay();
    assert_ne!(of_khor, of_khor_relay, "the relay of the old package still runs");
    assert!(!Path::new("/usr/bin/khor").exists());
    assert_eq!(beyond_the_c_library(Path::new(PROGRAM)), Some(vec![]));
    assert!(output_of("khor-relay --help").contains("--site"));
    let _ = subscribe().sample();

    // apt removes khor-relay before it unpacks khor. These options keep apt from reading package
    // lists, because there is no network.
    output_of(&format!("dpkg --install {sound_library}"));
    let sources = "-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null";
    let apt = format!("apt-get --yes --no-install-recommends {sources} install {KHOR_PACKAGE}");
    println!("{}", output_of(&apt));
    assert_ne!(of_khor_relay, check_the_relay(), "the relay of the old package still runs");

    // A purge of the replaced package keeps the units and the user, which belong to khor.
    output_of("dpkg --purge khor-relay");
    assert_eq!(output_of(&format!("systemctl is-enabled {SERVICE}")), "enabled");
    assert!(outcome_of("getent passwd khor").0 && Path::new("/usr/bin/khor").exists());
    let _ = subscribe().sample();
    output_of(&format!("systemctl disable --now {UNIT}"));
    fs::remove_file(ENV).expect("removing the variables");
}
