//! Ends endless answers when khor ends.

use khor_http::stopped;
use tokio::sync::watch;

/// Waits until khor ends.
pub(super) async fn until_stopped(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
}
