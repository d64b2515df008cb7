//! Measures rates: as octaves above the grain of a signal, and as levels relative to a ceiling.

use super::{PerSignal, SIGNALS, SignalId};

/// Prior knowledge about a signal, in its own unit.
struct Scale {
    /// The rate of one octave. Differences well below it mean nothing.
    grain: f64,
    /// Rate whose level is 1.
    ceiling: f64,
    /// Median and 99th percentile on a typical idle machine, until the machine's own are learnt.
    prior: (f64, f64),
}

/// Grains and priors are round numbers for an idle desktop or small server, between the values of
/// the development machines. Ceilings follow design §3. A machine's own baseline replaces the
/// priors within ten minutes.
const fn scale(signal: SignalId) -> Scale {
    let (grain, ceiling, prior) = match signal {
        SignalId::Exec => (0.5, 250.0, (0.3, 5.0)),
        SignalId::Fork => (2.0, 500.0, (1.0, 10.0)),
        SignalId::Rx | SignalId::Tx | SignalId::Local => (20e3, 50e6, (5e3, 60e3)),
        SignalId::Retx => (0.3, 50.0, (0.0, 0.3)),
        SignalId::Io => (100e3, 80e6, (20e3, 1e6)),
        SignalId::Lat => (0.001, 0.5, (0.0005, 0.005)),
        SignalId::Stall => (0.02, 1.0, (0.0, 0.02)),
        SignalId::Mem => (0.02, 1.0, (0.0, 0.01)),
        SignalId::Fault => (500.0, 500e3, (300.0, 5e3)),
        SignalId::Cpu => (0.02, 1.0, (0.01, 0.08)),
        SignalId::Csw => (500.0, 120e3, (2e3, 12e3)),
        SignalId::Irq => (200.0, 200e3, (500.0, 4e3)),
        SignalId::Softirq => (500.0, 200e3, (800.0, 6e3)),
    };
    Scale { grain, ceiling, prior }
}

/// `log2(1 + rate / grain)`: about proportional below the grain, one more for each doubling above it.
pub(super) fn octaves(signal: SignalId, rate: f64) -> f64 {
    (rate.max(0.0) / scale(signal).grain).ln_1p() / std::f64::consts::LN_2
}

/// The rate that [`octaves`] came from.
pub(super) fn rate_at(signal: SignalId, octaves: f64) -> f64 {
    (octaves.exp2() - 1.0) * scale(signal).grain
}

/// Median and 99th percentile of a typical idle machine, octaves.
pub(super) fn prior(signal: SignalId) -> (f64, f64) {
    let (middle, high) = scale(signal).prior;
    (octaves(signal, middle), octaves(signal, high))
}

/// Level of a signal's rate against its ceiling alone, both in its own unit, 0..=1:
/// `log1p(rate / unit) / log1p(ceiling / unit)`, where the unit is one event, a kilobyte or a tenth of a
/// millisecond; for shares of time, which are proportions already, `rate / ceiling`.
pub fn level(signal: SignalId, rate: f64, ceiling: f64) -> f32 {
    let unit = match signal {
        SignalId::Stall | SignalId::Mem | SignalId::Cpu => {
            return (rate / ceiling).clamp(0.0, 1.0) as f32;
        }
        SignalId::Rx | SignalId::Tx | SignalId::Local | SignalId::Io => 1000.0,
        SignalId::Lat => 1e-4,
        _ => 1.0,
    };
    ((rate / unit).ln_1p() / (ceiling / unit).ln_1p()).clamp(0.0, 1.0) as f32
}

/// Default ceilings of all signals: the rates whose level is 1, each in its signal's own unit.
pub fn default_ceilings() -> PerSignal<f64> {
    SIGNALS.map(|info| scale(info.id).ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_levels_span_zero_to_the_ceiling() {
        assert_eq!(level(SignalId::Exec, 0.0, 250.0), 0.0);
        assert_eq!(level(SignalId::Exec, 250.0, 250.0), 1.0);
        assert_eq!(level(SignalId::Exec, 1e9, 250.0), 1.0);
        assert_eq!(level(SignalId::Mem, 0.25, 1.0), 0.25, "shares of time are proportions already");
    }

    #[test]
    fn more_bytes_give_a_higher_level() {
        let rx = |bytes_per_s| level(SignalId::Rx, bytes_per_s, 50e6);
        assert!(rx(2e3) < 0.15 && rx(5e6) > 0.7 && rx(25e6) - rx(5e6) > 0.1);
    }

    #[test]
    fn octaves_and_rates_round_trip() {
        for info in SIGNALS {
            for rate in [0.0, 0.01, 3.0, 4e6] {
                let back = rate_at(info.id, octaves(info.id, rate));
                assert!((back - rate).abs() <= 1e-9 * rate.max(1.0), "{}: {back}", info.name);
            }
            let (middle, high) = prior(info.id);
            let ceiling = octaves(info.id, default_ceilings()[info.id.index()]);
            assert!(middle < high && high + 2.0 < ceiling, "{}", info.name);
        }
    }
}
