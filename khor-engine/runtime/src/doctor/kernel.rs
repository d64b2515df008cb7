//! Checks whether the running kernel has the features that khor needs to count events.

use std::path::Path;

use super::check::is_readable;
use khor_api::Check;

/// Major and minor version of the oldest kernel on which khor is tested.
const OLDEST: (u32, u32) = (5, 10);
const TYPES: &str = "/sys/kernel/btf/vmlinux";
const PRESSURE: &str = "/proc/pressure/cpu";

pub(super) fn examine() -> Vec<Check> {
    let release = nix::sys::utsname::uname()
        .map_or_else(|_| String::new(), |names| names.release().to_string_lossy().into_owned());
    vec![version(&release), types(is_readable(Path::new(TYPES))), pressure(is_readable(Path::new(PRESSURE)))]
}

fn version(release: &str) -> Check {
    let mut numbers = release.split(['.', '-']).map_while(|piece| piece.parse::<u32>().ok());
    match numbers.next().zip(numbers.next()) {
        Some(version) if version >= OLDEST => Check::ok("kernel", format!("Linux {release}")),
        Some(_) => Check::problem(
            "kernel",
            format!("Linux {release} is too old for khor's probes"),
            "run Linux 5.10 or newer; until then khor reads only /proc",
        ),
        None => Check::off("kernel", format!("unknown kernel version {release:?}")),
    }
}

fn types(readable: bool) -> Check {
    if readable {
        return Check::ok("type information", TYPES);
    }
    Check::problem(
        "type information",
        format!(
            "cannot read {TYPES}: without this file the probes cannot find the fields of kernel structures"
        ),
        "run a kernel with CONFIG_DEBUG_INFO_BTF=y, such as the kernels of Debian, Fedora and Arch",
    )
}

fn pressure(readable: bool) -> Check {
    if readable {
        return Check::ok("pressure", "the kernel reports pressure (PSI)");
    }
    Check::problem(
        "pressure",
        format!("cannot read {PRESSURE}: the signals cpu, stall and mem are missing"),
        "boot with psi=1 on the kernel's command line; the kernel needs CONFIG_PSI=y",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckState;

    #[test]
    fn versions_are_compared_as_numbers() {
        for release in ["5.10.0-32-amd64", "6.1.0", "6.18.44-fc-v595", "10.0"] {
            assert_eq!(version(release).state, CheckState::Ok, "{release}");
        }
        for release in ["5.4.0-150-generic", "4.19.0-27"] {
            assert_eq!(version(release).state, CheckState::Problem, "{release}");
        }
        assert_eq!(version("").state, CheckState::Off);
    }

    #[test]
    fn missing_kernel_features_name_their_fix() {
        assert!(types(false).fix.is_some() && pressure(false).fix.is_some());
    }
}
