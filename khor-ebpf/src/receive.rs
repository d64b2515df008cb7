//! Counts packets that reach a socket, for scopes only (`sk_filter_trim_cap`). Kernel 5.5 and
//! later.
//!
//! When a device passes a packet to the network stack, the kernel does not know the packet's socket
//! yet. The kernel calls `sk_filter_trim_cap` once for each packet that reaches a socket, for every
//! protocol. The kernel's own cgroup filters also run in this function.

use aya_ebpf::Global;
use aya_ebpf::macros::fentry;
use aya_ebpf::programs::FEntryContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::field::probe;
use crate::owner;

// Address families of IPv4 and IPv6. aya has no constants for them.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

#[unsafe(no_mangle)]
static SKB_HEAD_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SKB_DATA_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SKB_NETWORK_HEADER_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SOCK_FAMILY_OFFSET: Global<u32> = Global::new(0);

/// Counts a received packet for the scopes of the cgroup in which its socket was created.
#[fentry(function = "sk_filter_trim_cap")]
fn sk_filter_trim_cap(ctx: FEntryContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    let Some(scopes) = cpu.scopes() else { return 0 };
    let (sock, skb): (*const u8, *const u8) = (ctx.arg(0), ctx.arg(1));
    let family: u16 = probe(sock, &SOCK_FAMILY_OFFSET);
    if matches!(family, AF_INET | AF_INET6) {
        let owners = scopes.of_cgroup(owner::cgroup_of_sock(cpu, sock));
        scopes.credit(owners, [(Slot::RxBytes, packet_bytes(skb)), (Slot::RxPackets, 1)]);
    }
    0
}

/// Length of the packet in bytes, including the network header. The field `len` excludes this
/// header, because the network stack has already moved `data` past it.
#[inline(always)]
fn packet_bytes(skb: *const u8) -> u64 {
    let len: u32 = probe(skb, &crate::net::SKB_LEN_OFFSET);
    let (head, data): (u64, u64) = (probe(skb, &SKB_HEAD_OFFSET), probe(skb, &SKB_DATA_OFFSET));
    let network_header: u16 = probe(skb, &SKB_NETWORK_HEADER_OFFSET);
    u64::from(len) + data.wrapping_sub(head).wrapping_sub(u64::from(network_header))
}
