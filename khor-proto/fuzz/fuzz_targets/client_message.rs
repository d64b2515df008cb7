//! Fuzzes the collector's receiver of `ClientMessage` with arbitrary bytes.
#![no_main]

#[path = "../../tests/hostile/mod.rs"]
mod hostile;

use khor_proto::ClientMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hostile::check::<ClientMessage>(bytes));
