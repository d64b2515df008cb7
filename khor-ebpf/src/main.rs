//! khor's in-kernel programs: each adds to a counter of the CPU it runs on, and sends a cue if the event is rare
//! enough to deserve one.
//!
//! All but one are BTF tracepoints (kernel 5.5 and later): the cheapest kind, and the only one that attaches with no
//! more than `CAP_BPF` and `CAP_PERFMON`; the exception is the entry of a function, of the same family. Rust emits no CO-RE relocations, so field offsets come in as
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
mod tcp;

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called: nothing here panics, yet the language wants a handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
