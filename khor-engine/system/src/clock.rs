//! Reads the machine's clock, in milliseconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

/// Converts a time to milliseconds since 1970. A time before 1970 becomes 0.
pub fn unix_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The current time, milliseconds since 1970.
pub fn now_unix_ms() -> u64 {
    unix_ms(SystemTime::now())
}
