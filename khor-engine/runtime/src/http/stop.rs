//! Ends endless answers when khor stops.

use khor_http::stopped;
use tokio::sync::watch;

/// Waits until khor stops.
pub(super) async fn until_stopped(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
}
