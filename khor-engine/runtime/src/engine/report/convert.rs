//! Converts values to types of the API that occur in several reports.

use khor_api::Trouble;
use khor_proto::Availability;
use khor_source::Shortfall;

/// Converts a shortfall of a source to its type in the API.
pub(super) fn trouble(shortfall: &Shortfall) -> Trouble {
    Trouble::new(&shortfall.error, &shortfall.fix)
}

/// Why a counter is missing. `None` if it is available.
pub(super) fn reason(availability: &Availability) -> Option<String> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason.clone()),
    }
}
