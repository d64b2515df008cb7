//! The clock of the machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970; 0 for an earlier time.
pub fn unix_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The current time in milliseconds since 1970.
pub fn now_unix_ms() -> u64 {
    unix_ms(SystemTime::now())
}
