//! Keeps alsa-lib from printing errors to stderr.

/// Until the returned value is dropped, keeps alsa-lib from printing this thread's errors to
/// stderr.
pub(super) fn silence_alsa() -> Option<impl Sized> {
    alsa::Output::local_error_handler().ok()
}
