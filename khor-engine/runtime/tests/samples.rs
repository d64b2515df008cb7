//! Tests that the sound samples in the documentation match the current music.

#[path = "../examples/samples/list.rs"]
mod list;
#[path = "../examples/samples/page.rs"]
mod page;

use std::{collections::BTreeSet, fs};

use khor_config::Config;

use self::list::{LISTING, Made, crc, folder, samples};

/// In each second, the levels of a sample and of the current music may differ by at most this many
/// dB, because another processor may round differently.
const TOLERANCE_DB: f32 = 0.5;
/// Maximum total size of all samples, in bytes. It is limited, because every clone of the
/// repository contains them.
const MAX_BYTES: u64 = 3 << 20;

const FIX: &str = "run cargo xtask samples to make the samples again";

#[test]
fn samples_match_current_music() {
    let (folder, config) = (folder(), Config::default());
    let listing = fs::read_to_string(folder.join(LISTING)).expect(FIX);
    let listing: Vec<Made> = serde_json::from_str(&listing).expect(FIX);
    let samples = samples();
    assert_eq!(listing.len(), samples.len(), "{FIX}");
    for (made, sample) in listing.iter().zip(&samples) {
        let file = fs::read(folder.join(sample.file())).expect(FIX);
        let now = sample.made(&sample.play(&config).expect("a capture"), config.audio.sample_rate, &file);
        assert_eq!((&made.file, &made.bytes), (&now.file, &now.bytes), "{FIX}");
        assert_eq!(made.notes, now.notes, "{}: the notes have changed; {FIX}", made.file);
        assert_eq!(made.levels_db.len(), now.levels_db.len(), "{}", made.file);
        for (then, now) in made.levels_db.iter().zip(&now.levels_db) {
            assert!((then - now).abs() <= TOLERANCE_DB, "{}: {then} dB, now {now} dB; {FIX}", made.file);
        }
    }
}

#[test]
fn samples_folder_is_complete_and_small() {
    let folder = folder();
    let entries = fs::read_dir(&folder).expect(FIX).map(|entry| entry.expect("an entry"));
    let mut bytes = 0;
    let names: BTreeSet<String> = entries
        .map(|entry| {
            bytes += entry.metadata().expect("the size of the file").len();
            entry.file_name().into_string().expect("a name")
        })
        .collect();
    let mut expected: BTreeSet<String> = samples().iter().map(list::Sample::file).collect();
    assert_eq!(fs::read_to_string(folder.join("README.md")).expect(FIX), page::page(), "{FIX}");
    expected.extend([LISTING.into(), "README.md".into()]);
    assert_eq!(names, expected, "{FIX}");
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    assert_eq!(crc(b"123456789"), "cbf43926", "the checksum is CRC-32");
}
