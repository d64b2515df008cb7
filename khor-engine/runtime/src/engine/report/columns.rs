//! The report of `GET /api/history`: the stored rates, as one list for each lane.

use khor_api::{HistoryColumns, NoteReport};
use khor_signal::{Catalogue, LaneInfo};

use crate::{engine::state::PastRates, rounding::round};

pub(in crate::engine) fn columns(
    catalogue: &Catalogue,
    points: &[PastRates],
    notes: Vec<NoteReport>,
) -> HistoryColumns {
    let column = |lane| points.iter().map(|point| rate(catalogue, lane, point).map(round)).collect();
    HistoryColumns {
        ts_ms: points.iter().map(|point| point.ts_ms).collect(),
        rates: catalogue.iter().map(|lane| (lane.name.as_ref(), column(lane))).collect(),
        notes,
    }
}

/// Returns the rate of a lane at a point of history. If the source has changed since then, the id
/// may belong to another lane in that point. The lane is then found by its name.
fn rate(catalogue: &Catalogue, lane: &LaneInfo, point: &PastRates) -> Option<f64> {
    let keeps_ids = catalogue.extends(&point.catalogue);
    let known = if keeps_ids { Some(lane) } else { point.catalogue.find(&lane.name) };
    point.rates.value(known?.id)
}

#[cfg(test)]
mod tests {
    use khor_signal::{LaneId, PerLane, SignalId, test_lane};

    use super::*;

    fn point(ts_ms: u64, catalogue: &Catalogue, rates: PerLane<Option<f64>>) -> PastRates {
        PastRates { ts_ms, catalogue: catalogue.clone(), rates }
    }

    #[test]
    fn missing_rates_are_null() {
        let (mut rates, kernel) = (PerLane::NONE, Catalogue::kernel());
        rates[SignalId::Rx] = Some(103.271_84);
        let points = [point(1000, &kernel, rates), point(1200, &kernel, PerLane::NONE)];
        let columns = columns(&kernel, &points, Vec::new());
        assert_eq!(columns.ts_ms, [1000, 1200]);
        assert_eq!(columns.rates.get("rx"), Some(&vec![Some(103.3), None]));
        assert_eq!(columns.rates.get("tx"), Some(&vec![None, None]));
    }

    #[test]
    fn columns_follow_the_name_of_a_lane() {
        let [one, two] = [["queue", "errors"], ["errors", "queue"]].map(|names| {
            let mut catalogue = Catalogue::kernel();
            for name in names {
                catalogue.add(test_lane(name)).unwrap();
            }
            catalogue
        });
        let mut rates = PerLane::NONE;
        rates.set(LaneId::of_added(0).unwrap(), Some(7.0));
        let points = [point(1000, &one, rates.clone()), point(1200, &two, rates)];
        let columns = columns(&two, &points, Vec::new());
        assert_eq!(columns.rates.get("queue"), Some(&vec![Some(7.0), None]));
        assert_eq!(columns.rates.get("errors"), Some(&vec![None, Some(7.0)]));
    }
}
