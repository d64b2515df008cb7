//! Runs programs as other users, for tests that run as root. The users have ids, but no accounts.
//! Each has its own home and runtime folder.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output},
    sync::OnceLock,
};

use khor_patience::progress;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Wait, connections::listener, engine::program, raw_http, wait_for};

/// User ID of `nobody` on Debian and most other systems. This user owns no files.
pub const NOBODY: u32 = 65_534;
/// User ID of an unprivileged user who runs an engine.
pub const OWNER: u32 = 61_001;
/// User ID of another unprivileged user.
pub const OTHER: u32 = 61_002;

/// A user with a home. Dropping this value removes the user's files.
#[derive(Debug)]
pub struct SecondUser {
    uid: u32,
    gid: u32,
    group: Option<u32>,
    dir: TempDir,
}

impl SecondUser {
    /// A user with this user ID, and with a group that has the same ID.
    pub fn new(uid: u32) -> Self {
        Self::make(uid, uid, None)
    }

    /// A user with this user ID, who is also a member of `group`.
    pub fn in_group(uid: u32, group: u32) -> Self {
        Self::make(uid, uid, Some(group))
    }

    /// A user of the system's user database, with a home for this test. `None` if there is no such
    /// user.
    pub fn named(name: &str) -> Option<Self> {
        let user = nix::unistd::User::from_name(name).ok()??;
        Some(Self::make(user.uid.as_raw(), user.gid.as_raw(), None))
    }

    fn make(uid: u32, gid: u32, group: Option<u32>) -> Self {
        let dir = TempDir::new().expect("creating a temporary directory");
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("the directory's mode");
        let user = Self { uid, gid, group, dir };
        for (folder, mode) in [("home", 0o700), ("run", 0o700)] {
            let folder = user.dir.path().join(folder);
            fs::create_dir(&folder).expect("creating the folder");
            fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).expect("the folder's mode");
            user.give(&folder);
        }
        user
    }

    /// The user ID.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The file in which the user's engine publishes its address.
    pub fn engine_file(&self) -> PathBuf {
        self.dir.path().join("run/khor/engine.json")
    }

    /// The user's configuration file, at its usual place.
    pub fn config_path(&self) -> PathBuf {
        self.home().join(".config/khor/config.json")
    }

    /// Writes a file that only the user can read. Creates its folders within the home.
    pub fn write(&self, path: &Path, text: &str) {
        let folder = path.parent().expect("a path with a folder");
        fs::create_dir_all(folder).expect("creating the file's folder");
        { folder.ancestors() }
            .take_while(|folder| folder.starts_with(self.home()))
            .for_each(|folder| self.give(folder));
        fs::write(path, text).expect("writing the file");
        fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("the file's mode");
        self.give(path);
    }

    /// Writes the user's configuration.
    pub fn configure(&self, config: &Value) {
        self.write(&self.config_path(), &config.to_string());
    }

    /// A command that runs `program` as this user. It inherits only `PATH` and the patience factor
    /// from the environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={}", self.uid), format!("--regid={}", self.gid)]);
        command.arg(self.group.map_or("--clear-groups".to_owned(), |group| format!("--groups={group}")));
        command.arg("--").arg(runnable_by_all(program)).current_dir(self.home()).env_clear();
        for name in ["PATH", khor_patience::FACTOR] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", self.home()).env("XDG_RUNTIME_DIR", self.dir.path().join("run"));
        command
    }

    /// Runs `khor` as this user, and returns its output.
    pub fn khor(&self, arguments: &[&str]) -> Output {
        progress(format!("running khor {arguments:?} as user {}", self.uid));
        self.command(&program("khor")).args(arguments).output().expect("starting khor as another user")
    }

    /// Makes this user the owner of `path`.
    fn give(&self, path: &Path) {
        chown(path, Some(self.uid), Some(self.gid)).expect("changing the owner");
    }
}

/// A path at which every user may run the program: a copy if other users cannot enter the build's
/// folder.
fn runnable_by_all(program: &Path) -> PathBuf {
    static COPIES: OnceLock<TempDir> = OnceLock::new();
    let is_open = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0);
    if !program.is_absolute() || program.ancestors().all(is_open) {
        return program.to_owned();
    }
    let copies = COPIES.get_or_init(|| {
        let dir = TempDir::new().expect("creating a temporary directory");
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("the directory's mode");
        dir
    });
    let copy = copies.path().join(program.file_name().expect("a program with a file name"));
    if !copy.exists() {
        fs::copy(program, &copy).expect("copying the program");
    }
    copy
}

/// An engine of another user; killed when dropped.
#[derive(Debug)]
pub struct UserEngine {
    child: Child,
    address: String,
    log: PathBuf,
}

impl UserEngine {
    /// Starts `khor engine` as the user, and waits until it answers. The user's configuration must
    /// contain `listen.port`.
    pub fn start(user: &SecondUser, arguments: &[&str]) -> Self {
        let mut wait = Wait::new("another user's engine to answer");
        let log = user.dir.path().join("log");
        let _ = fs::remove_file(user.engine_file());
        let child = user
            .command(&program("khor"))
            .arg("engine")
            .args(arguments)
            .stderr(File::create(&log).expect("creating the log file"))
            .spawn()
            .expect("starting khor engine as another user");
        let mut engine = Self { child, address: String::new(), log };
        while !engine.answers(user) {
            let ended = engine.child.try_wait().expect("the engine's process state");
            assert!(ended.is_none(), "the engine did not start ({ended:?}): {}", engine.log());
            wait.pause(|| engine.log());
        }
        engine
    }

    /// Finds and stores the engine's address. Returns whether the engine answers there.
    fn answers(&mut self, user: &SecondUser) -> bool {
        let Some(address) = published(user).or_else(|| configured(user)) else { return false };
        let request = raw_http::head(&address, "GET", "/api/health", &[]);
        let answer = raw_http::try_ask(&address, &request, None);
        self.address = address;
        answer.is_ok_and(|answer| [200, 401].contains(&answer.status))
    }

    /// The engine's address, `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The engine's port.
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address with a port")
    }

    /// The engine's process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The engine's log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The response to a GET request by root, as JSON. Root needs no token.
    pub fn get(&self, path: &str) -> Value {
        let answer = raw_http::ask(&self.address, "GET", path, &[], None);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Stops the engine by SIGTERM and waits for its exit.
    pub fn stop(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGTERM).expect("sending SIGTERM to the engine");
        wait_for("the engine to stop", || self.child.try_wait().expect("the engine's process state"))
    }
}

/// The address that the user's engine has published in `engine.json`; `None` without this file.
fn published(user: &SecondUser) -> Option<String> {
    let text = fs::read_to_string(user.engine_file()).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["address"].as_str().map(str::to_owned)
}

/// The engine's address according to the user's configuration. `None` if no program of the user
/// listens there.
fn configured(user: &SecondUser) -> Option<String> {
    let text = fs::read_to_string(user.config_path()).ok()?;
    let config: Value = serde_json::from_str(&text).ok()?;
    let port = listener(user.uid, &[config["listen"]["port"].as_u64()? as u16])?;
    Some(format!("{}:{port}", config["listen"]["host"].as_str().map_or("127.0.0.1".into(), bracketed)))
}

/// A host in the form that is written before a port: an IPv6 address gets brackets.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

impl Drop for UserEngine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
