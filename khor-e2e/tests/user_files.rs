//! Tests the engine with unusual user files: invalid files, files that change while the engine
//! runs, links, files on a full or read-only disk, and special files such as a FIFO.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Child, Command},
};

use khor_e2e::{Engine, Mount, engine::program, free_port, skip, wait_for, wait_until};
use nix::{
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, Uid, mkfifo},
};
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Arguments with which the engine starts fast and makes no sound.
const QUIET: [&str; 2] = ["--no-audio", "--fake"];

/// An engine that a test starts without waiting for its API; killed when dropped.
struct RawEngine {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl RawEngine {
    fn start(dir: TempDir) -> Self {
        let port = free_port();
        let child = Command::new(program("khor"))
            .args(["engine", "--socket", NO_SOCKET, "--listen", &port.to_string(), "--config"])
            .arg(dir.path().join("config.json"))
            .args(QUIET)
            .env("HOME", dir.path())
            .stderr(File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, dir, port }
    }

    fn wait_for_log(&self, words: &str) {
        let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        wait_until(&format!("{words:?} in the log"), || log().contains(words));
    }

    /// Stops the engine and returns its directory.
    fn stop(mut self) -> TempDir {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        let status = wait_for("the engine to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status:?}");
        std::mem::replace(&mut self.dir, TempDir::new().unwrap())
    }
}

impl Drop for RawEngine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home with this configuration.
fn with_config(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("config.json"), text).unwrap();
    dir
}

fn file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn invalid_setting_keeps_token_and_others() {
    let dir = TempDir::new().unwrap();
    let token = dir.path().join("token");
    fs::write(&token, "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let config = json!({ "listen": { "token_file": token }, "music": { "bpm": "96", "density": 0.25 } });
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    let engine = RawEngine::start(dir);
    let config = format!("http://127.0.0.1:{}/api/config", engine.port);
    let get = |token: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.get(&config).header("authorization", format!("Bearer {token}")).call()
    };
    wait_until("the API to answer", || get("").is_ok());
    assert_eq!(get("").unwrap().status(), 401, "a request without the token");
    let mut answer = get("0123456789abcdef0123456789abcdef").unwrap();
    let config: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(config["music"]["density"], 0.25, "{config:#}");
    engine.stop();
}

#[test]
fn unreadable_listen_section_stops_api() {
    for invalid in ["{ \"listen\": { \"token_file\": \"/t\" }, ", "{ \"listen\": { \"token_file\": 5 } }"] {
        let engine = RawEngine::start(with_config(invalid));
        engine.wait_for_log("does not serve the page and the API");
        assert!(std::net::TcpStream::connect(("127.0.0.1", engine.port)).is_err(), "{invalid}");
        assert_eq!(fs::read_to_string(engine.dir.path().join("config.json")).unwrap(), invalid);
        engine.stop();
    }
}

#[test]
fn special_files_do_not_block_engine() {
    if !Uid::effective().is_root() {
        return skip("mounting needs root");
    }
    let dir = with_config("{}");
    fs::create_dir(dir.path().join("presets")).unwrap();
    mkfifo(&dir.path().join("presets/fifo.toml"), Mode::S_IRWXU).unwrap();
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &QUIET, &[]);
    let problems = engine.get("/api/health")["presets"]["problems"].to_string();
    assert!(problems.contains("fifo.toml: cannot read the file: it is a FIFO"), "{problems}");
    let (status, dir) = engine.stop();
    assert!(status.success(), "{status:?}");

    for command in ["play", "render"] {
        let mut khor = Command::new(program("khor"));
        khor.arg(command).arg(dir.path().join("presets/fifo.toml"));
        if command == "render" {
            khor.arg("--output").arg(dir.path().join("out.wav"));
        }
        let answer = khor.output().unwrap();
        let errors = String::from_utf8_lossy(&answer.stderr);
        assert!(
            answer.status.code() == Some(1) && errors.contains("it is a FIFO"),
            "khor {command}: {errors}"
        );
    }

    fs::remove_dir_all(dir.path().join("presets")).unwrap();
    fs::remove_file(dir.path().join("config.json")).unwrap();
    fs::create_dir(dir.path().join("presets")).unwrap();
    mkfifo(&dir.path().join("config.json"), Mode::S_IRWXU).unwrap();
    let hung = Mount::hanging(&dir.path().join("presets")).unwrap();
    let engine = RawEngine::start(dir);
    engine.wait_for_log("config.json: it is a FIFO");
    engine.wait_for_log("the file system did not answer");
    let dir = engine.stop();
    // Drop the hanging mount first, because it would block the removal of the directory.
    drop(hung);
    drop(dir);
}

#[test]
fn file_edit_takes_effect_and_stays() {
    let engine = Engine::start_in(with_config("{}"), NO_SOCKET.as_ref(), &QUIET, &[]);
    fs::write(engine.config_path(), "{ \"music\": { \"bpm\": 77 }, \"mine\": 1 }").unwrap();
    wait_until("the edit to take effect", || engine.get("/api/config")["music"]["bpm"] == 77.0);
    fs::write(engine.config_path(), "{ \"music\": { \"bpm\": 78 }, \"mine\": 2 }").unwrap();
    let (status, answer) = engine.change(&json!({ "music": { "density": 0.25 } }));
    assert_eq!((status, &answer["not_saved"]), (200, &Value::Null), "{answer:#}");
    assert_eq!((&answer["music"]["bpm"], &answer["music"]["density"]), (&json!(78.0), &json!(0.25)));
    let kept = file(&engine.config_path());
    assert!(
        kept["music"]["bpm"] == 78.0 && kept["music"]["density"] == 0.25 && kept["mine"] == 2,
        "{kept:#}"
    );
    engine.stop();
}

#[test]
fn unsaved_change_lasts_for_run() {
    if !Uid::effective().is_root() {
        return skip("mounting needs root");
    }
    let disk = TempDir::new().unwrap();
    let mount = Mount::in_memory(disk.path(), 32 * 1024).unwrap();
    let real = disk.path().join("real.json");
    fs::write(&real, "{}").unwrap();
    let dir = TempDir::new().unwrap();
    symlink(&real, dir.path().join("config.json")).unwrap();
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &QUIET, &[]);
    let change = |bpm: u32| {
        let (status, answer) = engine.change(&json!({ "music": { "bpm": bpm } }));
        assert_eq!((status, &answer["music"]["bpm"]), (200, &json!(f64::from(bpm))), "{answer:#}");
        answer["not_saved"].as_str().map(str::to_owned)
    };
    let warnings = || engine.get("/api/health")["config"]["warnings"].to_string();

    fill(&disk.path().join("filler"));
    let reason = change(70).expect("an error of the full disk");
    assert!(reason.contains("No space left"), "{reason}");
    assert!(warnings().contains("last until khor ends"), "{}", warnings());
    assert_eq!(file(&real), json!({}), "the failed write changed the old file");
    fs::remove_file(disk.path().join("filler")).unwrap();
    assert_eq!(change(71), None);
    assert_eq!(file(&real)["music"]["bpm"], 71.0);
    assert!(engine.config_path().is_symlink(), "the write replaced the link");

    mount.make_read_only().unwrap();
    let reason = change(72).expect("an error of the read-only disk");
    assert!(reason.contains("Read-only file system"), "{reason}");
    assert_eq!(file(&real)["music"]["bpm"], 71.0);

    let other = TempDir::new().unwrap();
    let (of, bound) = (other.path().join("of.json"), other.path().join("bound.json"));
    fs::write(&of, "{}").unwrap();
    fs::write(&bound, "").unwrap();
    let _bound = Mount::bind(&of, &bound).unwrap();
    fs::remove_file(engine.config_path()).unwrap();
    symlink(&bound, engine.config_path()).unwrap();
    assert_eq!(change(73), None);
    assert_eq!(file(&of)["music"]["bpm"], 73.0);
    engine.stop();
}

/// Writes a file until its file system is full.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 1024]).is_ok() {}
}
