//! Reads the same text file of the kernel repeatedly through one open descriptor.

use std::{borrow::Cow, fs::File, io, os::unix::fs::FileExt, path::Path};

use khor_proto::kernel_text;

/// Maximum number of bytes to read from a file. All files that khor reads are shorter.
const MAX_BYTES: usize = 64 * 1024;
/// Size of a page, in bytes. Every line is shorter than half a page.
const CHUNK_BYTES: usize = 4096;

/// An open text file of the kernel.
#[derive(Debug)]
pub(super) struct Kept(File);

impl Kept {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// Reads the current content of the file into `buffer`. Bytes that are not UTF-8 become U+FFFD.
    pub(super) fn read<'a>(&self, buffer: &'a mut Vec<u8>) -> io::Result<Cow<'a, str>> {
        let mut length = 0;
        while length < MAX_BYTES {
            buffer.resize(buffer.len().max(length + CHUNK_BYTES), 0);
            let more = self.0.read_at(&mut buffer[length..], length as u64)?;
            length += more;
            // A read returns as many whole lines as fit into a page. So a read that returns less
            // than half a page has reached the end of the file.
            if more < CHUNK_BYTES / 2 {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&buffer[..length]))
    }
}

/// If a mount option of /proc hides the file at `path`, returns a text that names this option as
/// the reason why the file is missing.
pub(super) fn hidden_by_proc(path: &Path) -> Option<String> {
    let only_processes = path.starts_with("/proc") && !path.exists() && shows_only_processes(&mounts()?);
    only_processes.then(|| {
        format!(
            "/proc has the mount option subset=pid, so there is no {}: mount /proc without this option, \
             or set ProcSubset=all in the unit",
            path.display()
        )
    })
}

fn mounts() -> Option<String> {
    kernel_text::read("/proc/self/mountinfo").ok()
}

/// Whether /proc has the mount option `subset=pid`, according to a mountinfo file
/// (`proc_pid_mountinfo(5)`). If there are several mounts at /proc, the last one hides the others.
fn shows_only_processes(mountinfo: &str) -> bool {
    const POINT: usize = 4;
    let at_proc = |line: &&str| line.split(' ').nth(POINT) == Some("/proc");
    let options = mountinfo.lines().rfind(at_proc).and_then(|line| line.rsplit(' ').next());
    options.is_some_and(|options| options.split(',').any(|option| option == "subset=pid"))
}

/// The number in the line that starts with `name` and a space.
pub(super) fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_file_is_read_whole_repeatedly() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let text = "line\n".repeat(3000) + "last 7\n";
        std::fs::write(&path, &text).unwrap();
        let (file, mut buffer) = (Kept::open(&path).unwrap(), Vec::new());
        for _ in 0..2 {
            assert_eq!(number(&file.read(&mut buffer).unwrap(), "last"), Some(7));
        }
        std::fs::write(&path, "last 8\n").unwrap();
        assert_eq!(file.read(&mut buffer).unwrap(), "last 8\n");
    }

    #[test]
    fn topmost_mount_decides_what_proc_shows() {
        let plain = "22 26 0:20 / /proc rw,relatime shared:7 - proc proc rw\n";
        let subset = "40 22 0:50 / /proc rw - proc proc rw,hidepid=invisible,subset=pid\n";
        assert!(!shows_only_processes(plain) && shows_only_processes(subset));
        assert!(shows_only_processes(&format!("{plain}{subset}")));
        assert!(!shows_only_processes(&format!("{subset}{plain}")));
        assert!(!shows_only_processes(&subset.replace(" /proc ", " /srv/proc ")));
        assert_eq!(hidden_by_proc(Path::new("/proc/stat")), None, "the file exists");
    }

    #[test]
    fn a_name_is_a_whole_word() {
        assert_eq!(number("pgfaultx 1\npgfault 2\n", "pgfault"), Some(2));
        assert_eq!(number("", "pgfault"), None);
    }
}
