//! `GET /api/history`: the rates of the history, with one list for each lane.

use khor_api::{HistoryColumns, NoteReport};
use khor_signal::Catalogue;

use crate::{engine::state::PastRates, rounding::round};

pub(in crate::engine) fn columns(
    catalogue: &Catalogue,
    points: &[PastRates],
    notes: Vec<NoteReport>,
) -> HistoryColumns {
    let column = |lane| points.iter().map(|(_, rates)| rates.value(lane).map(round)).collect();
    HistoryColumns {
        ts_ms: points.iter().map(|(ts_ms, _)| *ts_ms).collect(),
        rates: catalogue.iter().map(|lane| (lane.name.as_ref(), column(lane.id))).collect(),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{PerLane, SignalId};

    use super::*;

    #[test]
    fn missing_rates_are_null() {
        let mut rates = PerLane::NONE;
        rates[SignalId::Rx] = Some(103.271_84);
        let columns = columns(&Catalogue::kernel(), &[(1000, rates), (1200, PerLane::NONE)], Vec::new());
        assert_eq!(columns.ts_ms, [1000, 1200]);
        assert_eq!(columns.rates.get("rx"), Some(&vec![Some(103.3), None]));
        assert_eq!(columns.rates.get("tx"), Some(&vec![None, None]));
    }
}
