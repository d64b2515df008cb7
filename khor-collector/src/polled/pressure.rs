//! Reads for how long tasks have waited for CPU, I/O and memory (pressure stall information).

use std::{io, path::PathBuf};

use khor_proto::Availability;

use super::file::{Kept, hidden_by_proc};

const RESOURCES: [&str; 3] = ["cpu", "io", "memory"];

/// The three open pressure files. For a missing file, contains the reason why it is missing.
#[derive(Debug)]
pub(super) struct Pressure([Result<Kept, String>; 3]);

impl Pressure {
    /// Opens the three files. `path` returns the path of the file for `cpu`, `io` or `memory`.
    pub(super) fn open(path: impl Fn(&str) -> PathBuf) -> Self {
        Self(RESOURCES.map(|resource| {
            let path = path(resource);
            let reason = |error| hidden_by_proc(&path).unwrap_or_else(|| unavailable(&error));
            let file = Kept::open(&path).map_err(reason)?;
            total_us(&file, &mut Vec::new()).map(|_| file).map_err(|error| unavailable(&error))
        }))
    }

    /// Reports all files as missing, with `reason`.
    pub(super) fn absent(reason: &str) -> Self {
        Self([(); 3].map(|()| Err(reason.to_owned())))
    }

    /// The availability of each file.
    pub(super) fn availability(&self) -> [Availability; 3] {
        self.0.each_ref().map(|file| match file {
            Ok(_) => Availability::Available,
            Err(reason) => Availability::Absent { reason: reason.clone() },
        })
    }

    /// Returns, for each of the three resources, the total time in microseconds in which at least
    /// one task waited for it.
    pub(super) fn total_us(&self, buffer: &mut Vec<u8>) -> [Option<u64>; 3] {
        self.0.each_ref().map(|file| total_us(file.as_ref().ok()?, buffer).ok())
    }
}

fn unavailable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there are no pressure files: the kernel was built without CONFIG_PSI or booted without \
             psi=1, or PSI is off for this cgroup (cgroup.pressure)"
                .into()
        }
        // The kernel returns EOPNOTSUPP if PSI is built in but off.
        io::ErrorKind::Unsupported => "PSI is off on this kernel: boot with psi=1".into(),
        _ => format!("cannot read the pressure files: {error}"),
    }
}

fn total_us(file: &Kept, buffer: &mut Vec<u8>) -> io::Result<u64> {
    parse_total_us(&file.read(buffer)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Returns the value of `total=`, in microseconds, from the line that starts with `some`.
fn parse_total_us(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_comes_from_some_line() {
        let some = "some avg10=0.00 avg60=0.12 avg300=0.03 total=1234567\n";
        let both = format!("{some}full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
        assert_eq!(parse_total_us(&both), Some(1_234_567));
        assert_eq!(parse_total_us("full total=9\n"), None);
        assert_eq!(parse_total_us(""), None);
    }
}
