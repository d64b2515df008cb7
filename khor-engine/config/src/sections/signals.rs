//! The settings of the signals, which define how khor converts rates to levels.

use std::collections::BTreeMap;

use khor_signal::{RangeMode, SIGNALS, default_ceilings};

use crate::{Access, MapRule, Rule, definition::section};

section! {
    /// How khor converts the rates of the signals to levels.
    Signals, SignalsPatch {
        /// What the level of a signal is relative to. `adaptive`: this machine's baseline.
        /// `absolute`: the signal's ceiling in `ceilings`.
        range: RangeMode = RangeMode::default(), Rule::Any, Access::Api;
        /// Ceiling of this signal: the rate at which its level is 1, in the signal's unit.
        ceilings: BTreeMap<String, f64> = all_ceilings(), CEILINGS, Access::Api;
    }
}

const CEILINGS: Rule = Rule::Map(&MapRule {
    key_form: "the name of a signal",
    is_key: |key| SIGNALS.iter().any(|info| info.name == key),
    value: Rule::Above(0.0),
});

fn all_ceilings() -> BTreeMap<String, f64> {
    let ceilings = default_ceilings();
    SIGNALS.iter().map(|info| (info.name.to_owned(), ceilings[info.id.index()])).collect()
}
