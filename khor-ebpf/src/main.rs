//! khor's in-kernel programs. They count events, separately for each CPU, and send cues for rare
//! events.
//!
//! Programs that count for the machine use BTF tracepoints (kernel 5.5 and later). These cost least
//! and need only `CAP_BPF` and `CAP_PERFMON`. Programs that count the network traffic of scopes
//! attach to functions (fentry), which needs the same capabilities but does not work on every
//! kernel. Rust emits no CO-RE relocations. So the collector passes the offsets of fields as
//! read-only globals, which the verifier treats as constants.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod block;
mod counters;
mod cues;
mod exec;
mod fatal;
mod field;
mod fork;
mod irq;
mod net;
mod owner;
mod receive;
mod sched;
mod scopes;
mod send;
mod tcp;

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called, because the programs cannot panic. Rust requires a panic handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
