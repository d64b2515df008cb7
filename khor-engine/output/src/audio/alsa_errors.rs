//! Keeps alsa-lib from printing to stderr.

/// Keeps alsa-lib from printing errors of this thread to stderr until the result is dropped.
pub(super) fn silence_alsa() -> Option<impl Sized> {
    alsa::Output::local_error_handler().ok()
}
