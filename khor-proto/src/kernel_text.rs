//! Reads the text files of the kernel, which may contain bytes that are not UTF-8.
//!
//! The kernel writes the names of processes, interfaces, mount points and cgroups unchanged into
//! its text files. A name with invalid bytes must not prevent khor from reading the numbers in the
//! file.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// Reads a whole file. Bytes that are not UTF-8 become U+FFFD.
///
/// # Errors
///
/// Returns the system's error if the file cannot be opened or read.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = fs::read(path)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Finds where the unified cgroup hierarchy (`cgroup2`) is mounted. `None` if this process sees no
/// such mount.
pub fn cgroup_root() -> Option<PathBuf> {
    mount_point(&fs::read("/proc/self/mountinfo").ok()?, b"cgroup2")
}

/// Finds the mount point of the first file system of type `kind` in a mountinfo file
/// (`proc_pid_mountinfo(5)`).
fn mount_point(mountinfo: &[u8], kind: &[u8]) -> Option<PathBuf> {
    /// Index of the mount point in a line of mountinfo.
    const POINT: usize = 4;
    /// Index of the first optional field in a line of mountinfo. A field `-` marks the end of the
    /// optional fields.
    const OPTIONAL: usize = 6;
    mountinfo.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let separator = OPTIONAL + fields.iter().skip(OPTIONAL).position(|field| *field == b"-")?;
        (*fields.get(separator + 1)? == kind).then(|| PathBuf::from(unescaped(fields[POINT])))
    })
}

/// Decodes a path from a mount table. There, spaces, newlines and backslashes are written as `\`
/// and three octal digits.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = after.first_chunk().copied().filter(|_| *first == b'\\').and_then(octal);
        if escaped.is_some() {
            rest = &after[3..];
        }
        bytes.push(escaped.unwrap_or(*first));
    }
    OsString::from_vec(bytes)
}

fn octal(digits: [u8; 3]) -> Option<u8> {
    digits.into_iter().try_fold(0_u8, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_utf8_name_hides_no_other_value() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stat");
        fs::write(&path, b"7 (\xff\xfe) S 1\n").unwrap();
        assert_eq!(read(&path).unwrap(), "7 (\u{fffd}\u{fffd}) S 1\n");
        assert!(read(dir.path().join("missing")).is_err());
    }

    #[test]
    fn the_mount_point_is_the_fifth_field() {
        let text = b"22 26 0:20 / /sys rw shared:7 - sysfs sysfs rw\n\
                     28 22 0:25 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(mount_point(text, b"cgroup2"), Some("/sys/fs/cgroup".into()));
        assert_eq!(mount_point(b"", b"cgroup2"), None);
        let without_optional_fields = b"28 22 0:25 / /cg rw - cgroup2 cgroup2 rw\n";
        assert_eq!(mount_point(without_optional_fields, b"cgroup2"), Some("/cg".into()));
    }

    #[test]
    fn a_mount_point_may_contain_any_bytes() {
        let text = b"30 22 0:26 / /mnt/\xff\xfe rw - tmpfs none rw\n\
                     28 22 0:25 / /a\\040b\\134c\xff rw - cgroup2 none rw\n";
        let expected = OsString::from_vec(b"/a b\\c\xff".to_vec());
        assert_eq!(mount_point(text, b"cgroup2"), Some(expected.into()));
        assert_eq!(unescaped(b"a\\9zz\\1"), OsString::from("a\\9zz\\1"));
    }

    #[test]
    fn the_running_kernel_s_table_is_read() {
        let text = read("/proc/self/mounts").unwrap();
        assert_eq!(
            cgroup_root().is_some(),
            text.lines().any(|line| line.split(' ').nth(2) == Some("cgroup2"))
        );
    }
}
