//! Tests reading and replacing with real files of all kinds.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::mpsc,
    time::Duration,
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use super::{back_up, open, read, read_text, replace, timeout::within};

const LIMIT: u64 = 100;

#[test]
fn read_accepts_regular_files_up_to_limit() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
    let _listener = UnixListener::bind(at("socket")).unwrap();
    symlink(at("fifo"), at("link")).unwrap();
    let error_of = |path: &Path| read(path, LIMIT).unwrap_err().to_string();
    assert_eq!(error_of(&at("fifo")), "it is a FIFO, expected a regular file");
    assert_eq!(error_of(&at("link")), "it is a FIFO, expected a regular file");
    assert_eq!(error_of(&at("socket")), "it is a socket, expected a regular file");
    assert_eq!(error_of(Path::new("/dev/zero")), "it is a device, expected a regular file");
    assert_eq!(error_of(dir.path()), "it is a folder, expected a regular file");
    assert!(open(&at("fifo")).is_err());
    fs::write(at("long"), [b'x'; LIMIT as usize + 1]).unwrap();
    assert!(error_of(&at("long")).starts_with("it is larger than 100 bytes"));
    fs::write(at("text"), "\u{feff}words").unwrap();
    assert_eq!(read_text(&at("text"), LIMIT).unwrap(), "words");
    fs::write(at("bytes"), [0xFF, 0xFE]).unwrap();
    assert!(read_text(&at("bytes"), LIMIT).unwrap_err().to_string().starts_with("it is not UTF-8"));
}

#[test]
fn hung_path_times_out_and_recovers() {
    let path = Path::new("/nowhere/hung");
    let (answer, asked) = mpsc::channel::<()>();
    let (over, is_over) = mpsc::channel();
    let hung = move |_: &Path| {
        let _ = asked.recv();
        over.send(()).map_err(io::Error::other)
    };
    let error = within(Duration::from_millis(1), path, hung).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    let again = within(Duration::from_mins(1), path, |_| Ok(()));
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::TimedOut, "fails at once, without a second thread");
    answer.send(()).unwrap();
    is_over.recv().unwrap();
    while within(Duration::from_mins(1), path, |_| Ok(())).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn replace_follows_links_and_keeps_permissions() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("dotfiles")).unwrap();
    fs::write(at("dotfiles/real"), "old").unwrap();
    fs::set_permissions(at("dotfiles/real"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("dotfiles/real", at("near")).unwrap();
    symlink("near", at("far")).unwrap();
    replace(&at("far"), b"new").unwrap();
    assert_eq!(fs::read_to_string(at("dotfiles/real")).unwrap(), "new");
    assert_eq!(fs::metadata(at("dotfiles/real")).unwrap().mode() & 0o777, 0o640);
    assert!(at("far").is_symlink() && at("near").is_symlink());

    symlink("later/file", at("dangling")).unwrap();
    replace(&at("dangling"), b"made").unwrap();
    assert_eq!(fs::read_to_string(at("later/file")).unwrap(), "made");
    symlink("round", at("round")).unwrap();
    assert!(replace(&at("round"), b"x").is_err());
}

#[test]
fn replace_keeps_folders_and_read_only_files() {
    let dir = tempfile::tempdir().unwrap();
    assert!(replace(dir.path(), b"x").unwrap_err().to_string().contains("it is a folder"));
    let locked = dir.path().join("locked");
    fs::write(&locked, "old").unwrap();
    // Even root cannot write to the file of a running program.
    fs::copy("/bin/sleep", &locked).unwrap();
    let before = fs::metadata(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
    let mut running = std::process::Command::new(&locked).arg("600").spawn().unwrap();
    let refused = replace(&locked, b"x");
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ExecutableFileBusy);
    assert_eq!(fs::metadata(&locked).unwrap().len(), before.len());
}

#[test]
fn backups_are_numbered_and_none_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    for (text, name) in [("one", "config.json.bad"), ("two", "config.json.bad.2")] {
        fs::write(&path, text).unwrap();
        assert_eq!(back_up(&path).unwrap(), dir.path().join(name));
    }
    let kept = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!((kept("config.json.bad"), kept("config.json.bad.2")), ("one".into(), "two".into()));
}
