//! `GET /api/history`: the rates of the history, with one list for each signal.

use khor_api::HistoryColumns;
use khor_signal::SIGNALS;

use crate::{engine::state::PastRates, rounding::round};

pub(in crate::engine) fn columns(points: &[PastRates]) -> HistoryColumns {
    let column = |signal: usize| points.iter().map(|(_, rates)| rates[signal].map(round)).collect();
    HistoryColumns {
        ts_ms: points.iter().map(|(ts_ms, _)| *ts_ms).collect(),
        rates: SIGNALS.iter().map(|info| (info.name, column(info.id.index()))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::SignalId;

    use super::*;

    #[test]
    fn missing_rates_are_null() {
        let mut rates = [None; SignalId::COUNT];
        rates[SignalId::Rx.index()] = Some(103.271_84);
        let columns = columns(&[(1000, rates), (1200, [None; SignalId::COUNT])]);
        assert_eq!(columns.ts_ms, [1000, 1200]);
        assert_eq!(columns.rates.get("rx"), Some(&vec![Some(103.3), None]));
        assert_eq!(columns.rates.get("tx"), Some(&vec![None, None]));
    }
}
