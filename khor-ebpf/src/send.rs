//! Counts packets that sockets send, for scopes only (`ip_output`, `ip_mc_output`, `ip6_output`).
//! Kernel 5.5 and later.
//!
//! The kernel calls one of the three functions once for each packet that a socket sends. Counting
//! at devices would count a packet several times if devices are stacked (bond, VLAN, tunnel). A
//! packet counts only if the sending socket, an argument of the functions, is the packet's own
//! socket. The two sockets differ, or one is missing, if a packet is forwarded or wrapped by a
//! tunnel. The kernel's own cgroup filters compare the same two sockets.

use aya_ebpf::Global;
use aya_ebpf::macros::fentry;
use aya_ebpf::programs::FEntryContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::field::{follow, probe};
use crate::owner;

#[unsafe(no_mangle)]
static SKB_SK_OFFSET: Global<u32> = Global::new(0);

/// Counts an IPv4 packet.
#[fentry(function = "ip_output")]
fn ip_output(ctx: FEntryContext) -> i32 {
    credit(ctx.arg(1), ctx.arg(2))
}

/// Counts an IPv4 packet to a multicast or broadcast address.
#[fentry(function = "ip_mc_output")]
fn ip_mc_output(ctx: FEntryContext) -> i32 {
    credit(ctx.arg(1), ctx.arg(2))
}

/// Counts an IPv6 packet to any kind of address.
#[fentry(function = "ip6_output")]
fn ip6_output(ctx: FEntryContext) -> i32 {
    credit(ctx.arg(1), ctx.arg(2))
}

/// If `sender` is the packet's own socket, counts the packet for the scopes of the cgroup in which
/// this socket was created. The length includes the network header.
#[inline(always)]
fn credit(sender: *const u8, skb: *const u8) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    let Some(scopes) = cpu.scopes() else { return 0 };
    let sender = owner::full_sock(sender);
    if sender.is_null() || sender != owner::full_sock(follow(skb, &SKB_SK_OFFSET)) {
        return 0;
    }
    let len: u32 = probe(skb, &crate::net::SKB_LEN_OFFSET);
    let owners = scopes.of_cgroup(owner::cgroup_of_sock(cpu, sender));
    scopes.credit(owners, [(Slot::TxBytes, u64::from(len)), (Slot::TxPackets, 1)]);
    0
}
