//! Reads `/proc/cgroups` to find out which cgroup controllers are on old hierarchies (cgroup v1).

use khor_proto::kernel_text;

/// A cgroup controller. Some counters of a scope are available only if this controller is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Io,
    Memory,
}

impl Controller {
    /// Returns why the controller is off at `place` in the unified hierarchy, and how to turn it
    /// on.
    pub(crate) fn reason_off(self, place: &str) -> String {
        self.reason(place, &Hierarchies::read())
    }

    fn reason(self, place: &str, hierarchies: &Hierarchies) -> String {
        let (name, old_name, setting) = match self {
            Self::Io => ("io", "blkio", "IOAccounting"),
            Self::Memory => ("memory", "memory", "MemoryAccounting"),
        };
        let place = match hierarchies.state(old_name) {
            State::Disabled => {
                return format!(
                    "the {name} controller is disabled: remove cgroup_disable={old_name} from the kernel's command line"
                );
            }
            State::Old => {
                return format!(
                    "the {name} controller is on an old hierarchy (cgroup v1), which khor cannot read: boot with \
                     systemd.unified_cgroup_hierarchy=1, or unmount that hierarchy"
                );
            }
            State::Unified => place,
        };
        format!("the {name} controller is off {place}: run `systemctl set-property UNIT {setting}=yes`")
    }
}

/// The state of a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The controller is in the unified hierarchy, or can be enabled there.
    Unified,
    /// The controller is on an old hierarchy (cgroup v1).
    Old,
    /// The controller is disabled for the whole system.
    Disabled,
}

/// The table in `/proc/cgroups`. Newer kernels omit controllers that do not support old hierarchies
/// (cgroup v1).
#[derive(Debug, Default)]
pub(crate) struct Hierarchies(Vec<Row>);

#[derive(Debug)]
struct Row {
    controller: String,
    /// Number of the hierarchy; 0 for the unified hierarchy.
    hierarchy: u64,
    cgroups: u64,
    enabled: bool,
}

impl Hierarchies {
    /// Reads the current table. Returns an empty table if the file cannot be read.
    pub(crate) fn read() -> Self {
        kernel_text::read("/proc/cgroups").map(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// Whether a controller is on an old hierarchy that has at least one cgroup below its root.
    pub(crate) fn has_children(&self, controller: &str) -> bool {
        self.row(controller).is_some_and(|row| row.hierarchy != 0 && row.cgroups > 1)
    }

    fn state(&self, controller: &str) -> State {
        match self.row(controller) {
            Some(Row { enabled: false, .. }) => State::Disabled,
            Some(Row { hierarchy: 1.., .. }) => State::Old,
            _ => State::Unified,
        }
    }

    fn row(&self, controller: &str) -> Option<&Row> {
        self.0.iter().find(|row| row.controller == controller)
    }

    /// Parses the text of `/proc/cgroups`.
    pub(crate) fn parse(text: &str) -> Self {
        let row = |line: &str| {
            let mut fields = line.split_whitespace();
            let controller = fields.next().filter(|name| !name.starts_with('#'))?.to_owned();
            let mut number = || fields.next()?.parse::<u64>().ok();
            let (hierarchy, cgroups, enabled) = (number()?, number()?, number()? != 0);
            Some(Row { controller, hierarchy, cgroups, enabled })
        };
        Self(text.lines().filter_map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n\
                          blkio\t7\t1\t1\nmemory\t0\t45\t1\nnet_cls\t3\t2\t1\nnet_prio\t3\t1\t1\n";

    #[test]
    fn fix_fits_hierarchy_of_controller() {
        let hybrid = Hierarchies::parse(HYBRID);
        let io = Controller::Io.reason("in /a", &hybrid);
        assert!(io.contains("cgroup v1") && !io.contains("set-property"), "{io}");
        let memory = Controller::Memory.reason("in /a", &hybrid);
        assert!(memory.contains("off in /a") && memory.contains("MemoryAccounting=yes"), "{memory}");
        let disabled = Controller::Memory.reason("in /a", &Hierarchies::parse("memory\t0\t1\t0\n"));
        assert!(disabled.contains("cgroup_disable=memory"), "{disabled}");
    }

    #[test]
    fn controller_without_row_is_unified() {
        let io = Controller::Io.reason("in /a", &Hierarchies::default());
        assert!(io.contains("IOAccounting=yes"), "{io}");
    }

    #[test]
    fn cgroups_below_root_are_children() {
        let hybrid = Hierarchies::parse(HYBRID);
        let children = ["net_cls", "net_prio", "memory", "other"].map(|name| hybrid.has_children(name));
        assert_eq!(children, [true, false, false, false]);
    }
}
