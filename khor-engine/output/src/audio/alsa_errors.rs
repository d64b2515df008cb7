//! Keeps alsa-lib from printing to stderr.

/// Stops alsa-lib in this thread from printing its errors to stderr.
pub(super) fn silence_alsa() -> Option<impl Sized> {
    alsa::Output::local_error_handler().ok()
}
