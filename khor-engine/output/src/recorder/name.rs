//! The names of recordings. Each name is unique, so no recording replaces an earlier one.

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;

/// Maximum number of recordings that begin in the same second. If the folder already contains all
/// names for a second, creating another recording fails.
const MAX_PER_SECOND: u32 = 1000;

/// Creates an empty file in `folder` for a recording that began at `now`. If the name for this
/// second is already taken, the new name ends in `-2`, `-3` and so on. This happens if two
/// recordings begin in one second, or if the clock was set back. Waits for the disk.
pub fn claim(folder: &Path, now: SystemTime, extension: &str) -> io::Result<(PathBuf, File)> {
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for number in 1..=MAX_PER_SECOND {
        let path = folder.join(file_name(now, number, extension));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(taken) if taken.kind() == ErrorKind::AlreadyExists => last = taken,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// A key that sorts the names of recordings from the oldest to the newest. The key consists of the
/// second in which the recording began, its number among the recordings of that second, and its
/// name.
pub fn age_key(name: &str) -> (&str, u32, &str) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let numbered = stem.rsplit_once('-').filter(|(second, _)| second.ends_with('Z'));
    let numbered = numbered.and_then(|(second, number)| Some((second, number.parse().ok()?)));
    let (second, number) = numbered.unwrap_or((stem, 1));
    (second, number, name)
}

/// The name for a time in UTC, for example `khor-20261125T174200Z.flac`.
fn file_name(now: SystemTime, number: u32, extension: &str) -> String {
    let time = Timestamp::try_from(now).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ");
    match number {
        1 => format!("khor-{time}.{extension}"),
        _ => format!("khor-{time}-{number}.{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn a_recording_is_named_by_its_time() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_628_641);
        assert_eq!(file_name(time, 1, "flac"), "khor-20261125T174401Z.flac");
        assert_eq!(file_name(time, 2, "flac"), "khor-20261125T174401Z-2.flac");
    }

    #[test]
    fn claiming_a_name_never_replaces_files() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemTime::UNIX_EPOCH;
        fs::write(dir.path().join(file_name(now, 1, "wav")), "kept").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join(file_name(now, 2, "wav"))).unwrap();
        let (path, _) = claim(dir.path(), now, "wav").unwrap();
        assert_eq!(path, dir.path().join("khor-19700101T000000Z-3.wav"));
        assert_eq!(fs::read(dir.path().join(file_name(now, 1, "wav"))).unwrap(), b"kept");
        assert!(!dir.path().join("nowhere").exists());
        let elsewhere = dir.path().join("no such folder");
        assert_eq!(claim(&elsewhere, now, "wav").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn recordings_sort_by_age() {
        let by_age = [
            "khor-20261125T174400Z.wav",
            "khor-20261125T174401Z.wav",
            "khor-20261125T174401Z-2.wav",
            "khor-20261125T174401Z-10.flac",
            "khor-20261125T174402Z.flac",
            "somebody's-2.flac",
        ];
        assert!(by_age.is_sorted_by_key(|name| age_key(name)));
    }
}
