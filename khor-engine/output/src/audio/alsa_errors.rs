//! Keeps alsa-lib from printing to stderr.

/// alsa-lib prints its errors to stderr unless told otherwise, per thread.
pub(super) fn silence_alsa() -> Option<impl Sized> {
    alsa::Output::local_error_handler().ok()
}
