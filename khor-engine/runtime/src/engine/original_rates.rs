//! Computes the rates that the first version of khor published. Its clients still use them.

use khor_api::OriginalRates;
use khor_signal::{Counter, Reading};

/// Computes the rates that the first version of khor published, from a reading. `rx_kbs` and
/// `tx_kbs` are the rates of the signals `rx` and `tx`. `mem_pct` is the percentage of time in
/// which some task waited for memory.
pub(super) fn original_rates(reading: &Reading) -> OriginalRates {
    original_rates_of(|counter| reading.counter_rates[counter.index()])
}

/// Computes the rates that the first version of khor published. `rate` returns the rate of a
/// counter, per second.
pub(super) fn original_rates_of(rate: impl Fn(Counter) -> Option<f64>) -> OriginalRates {
    const BYTES_PER_KB: f64 = 1000.0;
    const PCT_PER_US: f64 = 100.0 / 1e6;
    let scaled = |counter, by: f64| rate(counter).map(|rate| rate * by);
    OriginalRates {
        exec_s: rate(Counter::Execs),
        rx_kbs: scaled(Counter::EdgeRxBytes, 1.0 / BYTES_PER_KB),
        tx_kbs: scaled(Counter::EdgeTxBytes, 1.0 / BYTES_PER_KB),
        csw_s: rate(Counter::Switches),
        blk_r_kbs: scaled(Counter::ReadBytes, 1.0 / BYTES_PER_KB),
        blk_w_kbs: scaled(Counter::WriteBytes, 1.0 / BYTES_PER_KB),
        retx_s: rate(Counter::Retransmits),
        irq_s: rate(Counter::Irqs),
        mem_pct: scaled(Counter::MemStallUs, PCT_PER_US),
    }
}

/// Returns the rates in the order of the OSC message `/khor/metrics`. A missing rate is sent as 0,
/// because this message cannot express a missing value.
pub(super) fn in_osc_order(rates: &OriginalRates) -> [f32; 9] {
    let OriginalRates { exec_s, rx_kbs, tx_kbs, csw_s, blk_r_kbs, blk_w_kbs, retx_s, irq_s, mem_pct } =
        *rates;
    [exec_s, rx_kbs, tx_kbs, csw_s, blk_r_kbs, blk_w_kbs, retx_s, irq_s, mem_pct]
        .map(|rate| rate.unwrap_or(0.0) as f32)
}
