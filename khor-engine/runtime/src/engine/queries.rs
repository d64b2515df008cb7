//! Answers queries about the engine's state, in the types of the API.

use khor_api::{
    ControlsReport, Explanation, FleetReport, HealthReport, HistoryColumns, MetricsReport, SignalReport,
    Table,
};

use khor_signal::Catalogue;

use super::{Engine, Measures, ReadPosition, WrittenPoint, explain, report};

impl Engine {
    /// Explains in words what plays and why.
    pub fn explain(&self) -> Explanation {
        explain::explain(&self.state.lock())
    }

    /// The health of every part.
    pub fn health(&self) -> HealthReport {
        let config = self.config_snapshot();
        report::health(
            &config,
            &self.library(),
            &self.state.lock(),
            &self.audio,
            &self.recorder,
            &self.osc,
            &self.midi.health(),
        )
    }

    /// Rates, signals, controls, and the notes and cues after the position `since`. If `since` is
    /// `None`, the report contains all stored notes and cues.
    pub fn metrics(&self, since: Option<ReadPosition>, with_history: bool) -> MetricsReport<WrittenPoint> {
        let config = self.config_snapshot();
        report::metrics(&config.config, &self.state.lock(), since, with_history)
    }

    /// The current lanes: the kernel's signals, and the lanes that the source adds.
    pub fn catalogue(&self) -> Catalogue {
        self.state.lock().catalogue.clone()
    }

    /// Returns the stored rates and notes that are newer than `since_ts_ms`, a time in milliseconds
    /// since 1970. 0 selects all of them.
    pub fn history(&self, since_ts_ms: u64) -> HistoryColumns {
        // Release the lock before the columns are computed.
        let (catalogue, points, notes) = {
            let state = self.state.lock();
            (
                state.catalogue.clone(),
                state.rates_since(since_ts_ms),
                report::notes_since(&state, since_ts_ms),
            )
        };
        report::columns(&catalogue, &points, notes)
    }

    /// The current controls.
    pub fn controls(&self) -> ControlsReport {
        let config = self.config_snapshot();
        report::controls(&config.config, &self.state.lock())
    }

    /// The current signals.
    pub fn signals(&self) -> Table<SignalReport> {
        report::signals(&self.state.lock())
    }

    /// The hosts of the current site.
    pub fn fleet(&self) -> FleetReport {
        report::fleet(&self.state.lock())
    }

    /// All measurements that `GET /metrics` returns.
    pub fn measures(&self) -> Measures {
        let (health, metrics) = (self.health(), self.metrics(None, false));
        let state = self.state.lock();
        Measures {
            health,
            metrics,
            fleet: report::fleet(&state),
            refused: state.site.as_ref().map(|site| site.refused.clone()).unwrap_or_default(),
            counters: state.counters,
            cues: state.cue_counts.clone(),
        }
    }
}
