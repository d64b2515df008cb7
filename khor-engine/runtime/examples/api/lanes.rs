//! Generates `ui/src/api/lanes.ts`, which lists the kernel's lanes. The page draws these lanes
//! until the engine sends its own list.

use std::fmt::Write;

use khor_signal::{Catalogue, LaneInfo};

pub(super) fn text() -> serde_json::Result<String> {
    let mut text =
        "// The lanes of the kernel. `cargo xtask api` writes this file from khor-engine/signal; do not \
                    edit it.\n\nexport const KERNEL_LANES = [\n"
            .to_owned();
    for lane in Catalogue::kernel().iter() {
        let LaneInfo { name, label, family, scale, .. } = lane;
        let family = serde_json::to_string(family)?.replace('"', "'");
        let _ = writeln!(
            text,
            "  {{ name: '{name}', label: '{label}', family: {family}, grain: {} }},",
            scale.grain
        );
    }
    text.push_str("] as const;\n");
    Ok(text)
}
