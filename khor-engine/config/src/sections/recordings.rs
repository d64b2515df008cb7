//! The settings that limit the disk space for recordings.

use crate::{Access, Rule, definition::section};

section! {
    /// Limits of the disk space for recordings. khor ends a recording cleanly when it reaches a
    /// limit.
    #[derive(Copy, Eq)]
    Recordings, RecordingsPatch {
        /// Largest total size of the files in the folder for recordings, MiB. The default is enough
        /// for 80 hours of FLAC, or 20 hours of WAV at 48 kHz.
        quota_mib: u32 = 20 * 1024, Rule::Range(1.0, MAX_MIB), Access::Api;
        /// Space that recordings leave free on the file system of the folder for recordings, MiB.
        /// Null means 1 GiB or a twentieth of the file system, whichever is less.
        min_free_mib: Option<u32> = None, Rule::Range(0.0, MAX_MIB), Access::Api;
    }
}

const MAX_MIB: f64 = 16_777_216.0;
