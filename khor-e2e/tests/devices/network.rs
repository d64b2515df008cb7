//! Tests whether the traffic of each network path counts as received, sent or local.

use std::ops::RangeInclusive;

use crate::{
    turn,
    world::{End, bond, containers, loopback, plain, transfer, tunnel},
};

/// Number of bytes that each test transfers. It is small, because emulated cards carry only a few
/// MiB per second.
const BYTES: u64 = 4 << 20;
/// Number of bytes that other traffic may add: ARP, the start and end of connections, and the
/// test's requests to the engine.
const SLACK: u64 = 128 << 10;

/// Expected count of bytes for the payload and its headers. Each TCP segment has 1448 bytes of
/// payload and 66 bytes of headers.
const PAYLOAD: RangeInclusive<u64> = BYTES..=BYTES + BYTES / 20 + SLACK;
/// Expected count of bytes for a payload that is sent through a `WireGuard` tunnel, and its
/// headers. Each packet has 1368 bytes of payload. Its headers have 126 bytes, or 112 without the
/// Ethernet header.
const TUNNELLED: RangeInclusive<u64> = BYTES + BYTES / 20..=BYTES + BYTES / 10 + SLACK;
/// Expected count of bytes for the acknowledgements of the payload. Each segment causes at most one
/// acknowledgement, which has 66 bytes.
const ACKS: RangeInclusive<u64> = 0..=BYTES / 20 + SLACK;
const NONE: RangeInclusive<u64> = 0..=SLACK;
const ANY: RangeInclusive<u64> = 0..=u64::MAX;

/// The ranges in which the counts of bytes must lie: received at the machine's edge, sent there,
/// and local.
struct Expected {
    rx: RangeInclusive<u64>,
    tx: RangeInclusive<u64>,
    local: RangeInclusive<u64>,
}

/// Measures a transfer between two ends, and checks the counts. `name` is the row's name in the
/// table.
fn row(name: &str, ends: impl FnOnce() -> [End; 2], expected: Expected) {
    let turn = turn();
    let [from, to] = ends();
    // Send one byte first, so that ARP and the route lookup are not measured.
    transfer(from, to, 1);
    let measured = turn.sources().measure_network(|| transfer(from, to, BYTES));
    let Expected { rx, tx, local } = expected;
    measured.check(name, [("received", rx), ("sent", tx), ("local", local)]);
}

fn reversed([one, other]: [End; 2]) -> [End; 2] {
    [other, one]
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn download_is_received() {
    row("plain download", || reversed(plain()), Expected { rx: PAYLOAD, tx: ACKS, local: NONE });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn upload_is_sent() {
    row("plain upload", plain, Expected { rx: ACKS, tx: PAYLOAD, local: NONE });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn container_download_counts_received_and_local_once() {
    let ends = || [plain()[1], containers()[0]];
    row("download into a container", ends, Expected { rx: PAYLOAD, tx: ACKS, local: PAYLOAD });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn container_upload_counts_sent_and_local_once() {
    let ends = || [containers()[0], plain()[1]];
    row("upload from a container", ends, Expected { rx: ACKS, tx: PAYLOAD, local: PAYLOAD });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn traffic_between_containers_is_local_once() {
    row("container to container", containers, Expected { rx: NONE, tx: NONE, local: PAYLOAD });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn wireguard_download_counts_received_and_local_once() {
    row(
        "download through WireGuard",
        || reversed(tunnel()),
        Expected { rx: TUNNELLED, tx: ACKS, local: PAYLOAD },
    );
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn upload_through_wireguard_is_sent_once() {
    // Both ends of the tunnel are in the same kernel. So the collector sees the payload arrive at
    // the other end too, and counts it as local.
    row("upload through WireGuard", tunnel, Expected { rx: ACKS, tx: TUNNELLED, local: ANY });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn download_through_a_bond_is_received_once() {
    row("download through a bond", || reversed(bond()), Expected { rx: PAYLOAD, tx: ACKS, local: NONE });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn upload_through_a_bond_is_sent_once() {
    row("upload through a bond", bond, Expected { rx: ACKS, tx: PAYLOAD, local: NONE });
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn loopback_is_local() {
    row("loopback", loopback, Expected { rx: NONE, tx: NONE, local: PAYLOAD });
}
