//! Tests of the recorder with real files. The tests feed sound into the tap.

use super::*;

const NO_LIMITS: DiskLimits = DiskLimits { quota_bytes: u64::MAX, min_free_bytes: Some(0) };

/// Asserts that the file contains `seconds` of sound, with `level` on the left and `-level` on the
/// right.
fn assert_holds(file: &Path, seconds: f64, level: f32) {
    let mut reader = hound::WavReader::open(file).unwrap();
    assert!((f64::from(reader.duration()) / 48_000.0 - seconds).abs() < 1e-9);
    let (samples, level): (Vec<i32>, _) =
        (reader.samples().map(Result::unwrap).collect(), (level * 8_388_608.0) as i32);
    assert!(samples.chunks(2).all(|frame| frame == [level, -level]), "{}", file.display());
}

/// Feeds sound until the recording is `seconds` long.
async fn feed_until(recorder: &Recorder, seconds: f64, mut push: impl FnMut()) {
    khor_e2e::wait_until_async("enough recorded sound", || {
        let enough = recorder.status().seconds >= seconds;
        if !enough {
            push();
        }
        enough
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_recording_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, mut feed) = Tap::start(48_000).unwrap();
    let recorder = Recorder::new(tap.clone(), dir.path().join("recordings"), NO_LIMITS);
    assert!(matches!(recorder.stop().await, Err(RecorderError::Idle)));
    assert!(matches!(recorder.start("mid"), Err(RecorderError::Format(_))));
    assert!(matches!(recorder.start("mp3"), Err(RecorderError::Format(_))));
    let file = recorder.start("wav").unwrap();
    assert!(matches!(recorder.start("wav"), Err(RecorderError::Busy(busy)) if busy == file));
    feed_until(&recorder, 0.5, || feed.push(&[0.5; 480], &[-0.5; 480])).await;
    let recorded = recorder.stop().await.unwrap();
    assert!(!recorded.recording && recorded.trouble.is_none());
    assert!(recorded.lost_blocks == 0 && recorded.lost_seconds == 0.0, "{recorded:?}");
    assert_holds(&file, recorded.seconds, 0.5);
    tap.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn recordings_of_one_second_get_separate_files() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, mut feed) = Tap::start(48_000).unwrap();
    let recorder = Recorder::new(tap.clone(), dir.path().to_owned(), NO_LIMITS);
    let mut recorded = Vec::new();
    for level in [0.25, 0.5] {
        let file = recorder.start_at(SystemTime::UNIX_EPOCH, "wav").unwrap();
        feed_until(&recorder, 0.1, || feed.push(&[level; 480], &[-level; 480])).await;
        let RecordingStatus { seconds, trouble, .. } = recorder.stop().await.unwrap();
        assert_eq!(trouble, None);
        recorded.push((file, seconds, level));
        khor_e2e::wait_until_async("the tap to stop", || feed.is_idle()).await;
    }
    for (file, seconds, level) in &recorded {
        assert_holds(file, *seconds, *level);
    }
    let names: Vec<_> = recorded.iter().map(|(file, ..)| file.file_name().unwrap()).collect();
    assert_eq!(names, ["khor-19700101T000000Z.wav", "khor-19700101T000000Z-2.wav"]);
    tap.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lost_sound_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, mut feed) = Tap::start(48_000).unwrap();
    let recorder = Recorder::new(tap.clone(), dir.path().to_owned(), NO_LIMITS);
    recorder.start("wav").unwrap();
    feed_until(&recorder, 0.1, || feed.push(&[0.5; 480], &[0.5; 480])).await;
    // Two seconds of sound are more than the tap can hold, so it drops a part of them.
    let long = vec![0.5; 96_000];
    feed.push(&long, &long);
    let before = recorder.status().seconds;
    feed_until(&recorder, before + 1.5, || feed.push(&[0.5; 480], &[0.5; 480])).await;
    let recorded = recorder.stop().await.unwrap();
    assert!((0.6..1.5).contains(&recorded.lost_seconds), "{recorded:?}");
    assert_eq!(recorded.trouble, None, "the recording is still usable");
    tap.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recording_without_sound_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, _feed) = Tap::start(48_000).unwrap();
    let recorder = Recorder::new(tap.clone(), dir.path().to_owned(), NO_LIMITS);
    let file = recorder.start("flac").unwrap();
    let recorded = recorder.stop().await.unwrap();
    assert!(recorded.trouble.is_some_and(|trouble| trouble.error.contains("there is no file")));
    assert!(!file.exists());
    tap.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rate_change_ends_the_recording() {
    let dir = tempfile::tempdir().unwrap();
    let (tap, mut feed) = Tap::start(48_000).unwrap();
    let recorder = Recorder::new(tap.clone(), dir.path().to_owned(), NO_LIMITS);
    let file = recorder.start("flac").unwrap();
    khor_e2e::wait_until_async("the recording to end", || {
        feed.push(&[0.5; 480], &[0.5; 480]);
        if recorder.status().seconds > 0.2 {
            feed.set_rate(44_100);
        }
        !recorder.status().recording
    })
    .await;
    let recorded = recorder.status();
    let trouble = recorded.trouble.unwrap();
    assert_eq!(trouble.error, "the device's sample rate changed to 44100 Hz");
    assert!(file.metadata().unwrap().len() > 0);
    tap.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_quota_ends_and_prevents_recordings() {
    const QUOTA: u64 = 2_000_000;
    let dir = tempfile::tempdir().unwrap();
    let (tap, mut feed) = Tap::start(48_000).unwrap();
    let limits = DiskLimits { quota_bytes: QUOTA, ..NO_LIMITS };
    let recorder = Recorder::new(tap.clone(), dir.path().to_owned(), limits);
    let file = recorder.start("wav").unwrap();
    khor_e2e::wait_until_async("the recording to end", || {
        feed.push(&[0.5; 480], &[-0.5; 480]);
        !recorder.status().recording
    })
    .await;
    let recorded = recorder.status();
    let Trouble { error, fix } = recorded.trouble.unwrap();
    let fix = fix.unwrap();
    assert!(
        error.contains("their quota is 2.0 MB") && fix.contains("recordings.quota_mib"),
        "{error}; {fix}"
    );
    assert_holds(&file, recorded.seconds, 0.5);
    // The file may exceed the quota by the sound that arrives between two checks.
    assert!((QUOTA..QUOTA + 1_000_000).contains(&file.metadata().unwrap().len()), "{file:?}");
    let refused = recorder.start("wav").unwrap_err();
    assert!(matches!(refused, RecorderError::DiskLimit(DiskLimitError::Quota { .. })), "{refused}");
    recorder.set_disk_limits(NO_LIMITS);
    recorder.start("wav").unwrap();
    assert!(recorder.stop().await.is_ok());
    recorder.set_disk_limits(DiskLimits { min_free_bytes: Some(u64::MAX), ..NO_LIMITS });
    let refused = recorder.start("wav").unwrap_err();
    assert!(matches!(refused, RecorderError::DiskLimit(DiskLimitError::Disk { .. })), "{refused}");
    tap.close();
}
