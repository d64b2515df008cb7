//! Fuzzes the client's receiver of `ServerMessage` with arbitrary bytes.
#![no_main]

#[path = "../../tests/hostile/mod.rs"]
mod hostile;

use khor_proto::ServerMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hostile::check::<ServerMessage>(bytes));
