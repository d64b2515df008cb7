//! `netif_receive_skb` and `net_dev_xmit`: packets and bytes in and out. Kernel 5.5 and later.
//!
//! Not `net_dev_queue` for what goes out: it comes before software segmentation, whose headers the device's own
//! counts have, and before the queue may drop the packet.
//!
//! Both run with bottom halves disabled and never inside one another's or their own program, so a plain add is
//! exact.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::add;
use crate::field;

#[unsafe(no_mangle)]
static SKB_LEN_OFFSET: Global<u32> = Global::new(0);

/// Counts what a device hands to the stack; the link-layer header is already off.
#[btf_tracepoint(function = "netif_receive_skb")]
fn netif_receive_skb(ctx: BtfTracePointContext) -> i32 {
    add([(Slot::RxBytes, skb_len(&ctx)), (Slot::RxPackets, 1)]);
    0
}

/// Counts what a device accepted, link-layer header included. A busy device is offered the packet again.
#[btf_tracepoint(function = "net_dev_xmit")]
fn net_dev_xmit(ctx: BtfTracePointContext) -> i32 {
    const NETDEV_TX_OK: i32 = 0;
    let (result, len): (i32, u32) = (ctx.arg(1), ctx.arg(3)); // the packet itself may be gone by now
    if result == NETDEV_TX_OK {
        add([(Slot::TxBytes, u64::from(len)), (Slot::TxPackets, 1)]);
    }
    0
}

#[inline(always)]
fn skb_len(ctx: &BtfTracePointContext) -> u64 {
    // SAFETY: argument 0 of the tracepoint is a `struct sk_buff *`.
    let len: u32 = unsafe { field::read(ctx.arg(0), &SKB_LEN_OFFSET) };
    u64::from(len)
}
