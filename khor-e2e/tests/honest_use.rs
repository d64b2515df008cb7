//! Tests all permitted ways to reach the engine of a user: the page, `khor`, curl, an ssh tunnel,
//! nginx as a proxy, and two users at the same time. The tests run as root, and the engines as
//! other users.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

use khor_e2e::{
    SecondUser, UserEngine, free_port,
    second_user::{NOBODY, OTHER, OWNER},
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::progress;
use serde_json::{Value, json};
use tempfile::TempDir;

const FLAGS: [&str; 2] = ["--fake", "--no-audio"];
const TOKEN: &str = "a-token-of-the-tests-of-honest-use-012345";
const CURL: &str = "/usr/bin/curl";
/// Loopback address of the test's nginx on ports 80 and 443. Real servers do not use it.
const PROXY: &str = "127.177.0.1";

/// Everything that a command printed.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs curl as this user. Returns the response's status, and its head and body as text.
fn curl(user: &SecondUser, arguments: &[&str]) -> (u16, String) {
    progress(format!("user {}: curl {arguments:?}", user.uid()));
    let options = ["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "60"];
    let output = user.command(Path::new(CURL)).args(options).args(arguments).output().expect("starting curl");
    let text = text(&output);
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("curl {arguments:?}: {text}")), text)
}

/// A user whose configuration has this `listen` section.
fn owner(listen: Value) -> SecondUser {
    let owner = SecondUser::new(OWNER);
    owner.configure(&json!({ "listen": listen }));
    owner
}

/// Runs `khor` as this user. Returns the output as `Ok` on success and as `Err` on failure.
fn khor(user: &SecondUser, arguments: &[&str]) -> Result<String, String> {
    let output = user.khor(arguments);
    if output.status.success() { Ok(text(&output).trim().to_owned()) } else { Err(text(&output)) }
}

#[test]
fn same_user_and_root_have_access() {
    if !root_or_skip() {
        return;
    }
    let owner = owner(json!({ "port": free_port() }));
    let engine = UserEngine::start(&owner, &FLAGS);
    let url = format!("http://{}", engine.address());
    let page = curl(&owner, &[&url]).1;
    let script =
        page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script in the page");
    let script = format!("{url}{}", script.trim_start_matches('.'));
    let (root, nobody) = (SecondUser::new(0), SecondUser::new(NOBODY));
    for (user, api) in [(&owner, 200), (&root, 200), (&nobody, 401)] {
        // All users may read the page's files, because they contain no data of the machine.
        assert_eq!(curl(user, &[&url]).0, 200);
        assert_eq!(curl(user, &[&script]).0, 200);
        assert_eq!(curl(user, &[&format!("{url}/api/health")]).0, api);
        assert_eq!(curl(user, &[&format!("{url}/metrics")]).0, api);
        let mute = format!("{url}/api/actions/mute?on=false");
        assert_eq!(curl(user, &["--request", "POST", &mute]).0, api);
    }
    let refusal = curl(&nobody, &[&format!("{url}/api/health")]).1;
    for word in ["user", "token"] {
        assert!(refusal.contains(word), "the error does not contain the word {word}: {refusal}");
    }

    let published: Value =
        serde_json::from_str(&fs::read_to_string(owner.engine_file()).expect("reading engine.json"))
            .expect("JSON in engine.json");
    assert_eq!(published["address"], engine.address());
    assert_eq!(published["pid"], engine.pid());
    assert_eq!(published["config"], owner.config_path().to_str().expect("a UTF-8 path"));
    let mode = |path: &Path| fs::metadata(path).expect("the file's mode").permissions().mode() & 0o777;
    let (file, folder) = (owner.engine_file(), owner.engine_file().with_file_name(""));
    assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));

    assert!(khor(&owner, &["status"]).is_ok_and(|text| text.contains("source")));
    assert_eq!(khor(&owner, &["config", "music.bpm", "96"]), Ok("96.0".into()));
    assert_eq!(khor(&owner, &["mute", "on"]), Ok("muted".into()));
    assert!(khor(&owner, &["explain"]).is_ok());
    assert!(khor(&owner, &["open", "--print"]).is_ok_and(|text| text.trim_end_matches('/') == url));
    // khor rejects the address, because the engine there belongs neither to `nobody`, who runs the
    // command, nor to root.
    let refused = khor(&nobody, &["status", "--listen", engine.address()]);
    assert!(refused.is_err(), "{refused:?}");

    assert!(engine.stop().success());
    assert!(!file.exists(), "engine.json still exists after the engine's end");
    assert!(khor(&owner, &["status"]).is_err());
}

#[test]
fn local_users_setting_gives_other_users_access() {
    if !root_or_skip() {
        return;
    }
    let owner = owner(json!({ "port": free_port(), "local_users": true }));
    let engine = UserEngine::start(&owner, &FLAGS);
    let url = format!("http://{}/api/health", engine.address());
    let nobody = SecondUser::new(NOBODY);
    for user in [&owner, &nobody, &SecondUser::new(0)] {
        assert_eq!(curl(user, &[&url]).0, 200, "user {}", user.uid());
    }
    // `local_users` gives access to users, but not to foreign web pages.
    assert_eq!(curl(&nobody, &["--header", "Origin: http://evil.example", &url]).0, 403);
    assert_eq!(curl(&nobody, &["--header", "Host: evil.example", &url]).0, 421);
}

#[test]
fn users_sharing_port_reach_own_engines() {
    if !root_or_skip() {
        return;
    }
    let port = free_port();
    let users = [SecondUser::new(OWNER), SecondUser::new(OTHER)];
    let engines = users.each_ref().map(|user| {
        user.configure(&json!({ "listen": { "port": port } }));
        UserEngine::start(user, &FLAGS)
    });
    assert_eq!(engines[0].port(), port, "the first engine does not have the configured port");
    assert_ne!(engines[1].port(), port, "the second engine has the port of the first");
    for (user, engine) in users.iter().zip(&engines) {
        let url = khor(user, &["open", "--print"]).expect("the address of the user's engine");
        assert!(url.contains(&format!(":{}", engine.port())), "{url}");
        assert!(khor(user, &["status"]).is_ok());
        let bpm = if user.uid() == OWNER { "91" } else { "92" };
        assert!(khor(user, &["config", "music.bpm", bpm]).is_ok());
        assert_eq!(curl(user, &[&format!("http://{}/api/health", engine.address())]).0, 200);
    }
    let bpm = |engine: &UserEngine| engine.get("/api/config")["music"]["bpm"].clone();
    assert_eq!((bpm(&engines[0]), bpm(&engines[1])), (json!(91.0), json!(92.0)));
    for (user, engine) in users.iter().zip(engines.iter().rev()) {
        assert_eq!(curl(user, &[&format!("http://{}/api/health", engine.address())]).0, 401);
    }
}

/// A server program that a test starts, such as nginx; killed when dropped.
struct Server {
    child: Child,
    log: PathBuf,
    _dir: Option<TempDir>,
}

impl Server {
    fn start(command: &mut Command, log: PathBuf, dir: Option<TempDir>) -> Self {
        let file = File::create(&log).expect("creating the log file");
        command.stdout(file.try_clone().expect("creating the log file")).stderr(file);
        Self { child: command.spawn().expect("starting the server"), log, _dir: dir }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until a server listens at `address`.
    fn wait_for(&mut self, address: &str) {
        wait_until(&format!("a server at {address}"), || {
            let ended = self.child.try_wait().expect("the server's process state");
            assert!(ended.is_none(), "the server ended ({ended:?}): {}", self.log());
            std::net::TcpStream::connect(address).is_ok()
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx stops its workers on SIGTERM, but not on SIGKILL.
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// An OpenSSH server for one test. One key allows a login to every account. Debian's system
/// accounts have no password and no shell, but a tunnel needs neither.
struct Sshd {
    dir: PathBuf,
    port: u16,
    _server: Server,
}

impl Sshd {
    fn start() -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        if !sshd.exists() {
            return None;
        }
        let (tree, port) = (TempDir::new().expect("creating a temporary directory"), free_port());
        let dir = tree.path().to_owned();
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.join(key))
                .status();
            assert!(made.is_ok_and(|status| status.success()), "ssh-keygen failed");
        }
        // sshd needs this folder, which Debian's unit usually creates.
        fs::create_dir_all("/run/sshd").expect("creating /run/sshd");
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n",
            dir.display()
        );
        fs::write(dir.join("config"), config).expect("writing the configuration");
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(dir.join("config"));
        let mut server = Server::start(&mut command, dir.join("log"), Some(tree));
        server.wait_for(&format!("127.0.0.1:{port}"));
        Some(Self { dir, port, _server: server })
    }

    /// Opens a tunnel through this account from `local` to `remote`, both `host:port`.
    fn tunnel(&self, account: &str, local: &str, remote: &str) -> Server {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-N", "-p", &self.port.to_string(), "-i"]).arg(self.dir.join("user"));
        for option in [
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "ExitOnForwardFailure=yes",
        ] {
            ssh.args(["-o", option]);
        }
        ssh.args(["-L", &format!("{local}:{remote}"), &format!("{account}@127.0.0.1")]);
        let mut tunnel = Server::start(&mut ssh, self.dir.join(format!("tunnel-{account}")), None);
        tunnel.wait_for(local);
        tunnel
    }
}

#[test]
fn ssh_tunnel_reaches_engine_of_account() {
    if !root_or_skip() {
        return;
    }
    // These accounts exist on every Debian system. Tests must not create accounts.
    let Some(owner) = SecondUser::named("games") else { return skip("needs the account games") };
    let Some(sshd) = Sshd::start() else { return skip("needs sshd") };
    let port = free_port();
    owner.configure(&json!({ "listen": { "port": port } }));
    let engine = UserEngine::start(&owner, &FLAGS);
    // The request's `Host` header must name the engine's port, so the tunnel uses the same port at
    // another address.
    let (elsewhere, visitor) = ("127.0.0.2", SecondUser::new(OTHER));
    let local = format!("{elsewhere}:{port}");
    for (account, expected) in [("games", 200), ("root", 200), ("daemon", 401)] {
        let tunnel = sshd.tunnel(account, &local, engine.address());
        let url = format!("http://{local}");
        assert_eq!(curl(&visitor, &[&url]).0, 200, "the page through the account {account}");
        let own = format!("Origin: {url}");
        let answer = curl(&visitor, &["--header", &own, &format!("{url}/api/health")]);
        assert_eq!(
            answer.0,
            expected,
            "a request through the account {account}: {}\n{}",
            answer.1,
            tunnel.log()
        );
    }
}

/// Starts nginx with the documented configuration: TLS under one name, and plain HTTP under another
/// name with a path prefix that nginx removes. `None` if nginx is not installed.
fn nginx(engine: &str) -> Option<Server> {
    let nginx = Path::new("/usr/sbin/nginx");
    if !nginx.exists() {
        return None;
    }
    let tree = TempDir::new().expect("creating a temporary directory");
    // nginx's workers run as another user, who must be able to read the folder.
    fs::set_permissions(tree.path(), PermissionsExt::from_mode(0o755)).expect("the folder's mode");
    let dir = tree.path().to_owned();
    let made = Command::new("openssl")
        .current_dir(&dir)
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '))
        .args(
            "-keyout key.pem -out cert.pem -subj /CN=khor.test -addext subjectAltName=DNS:khor.test"
                .split(' '),
        )
        .output();
    assert!(made.is_ok_and(|made| made.status.success()), "openssl failed");
    let headers = "proxy_http_version 1.1; proxy_set_header Host $http_host; \
                   proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;";
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};", dir.display()))
        .concat();
    let config = format!(
        "daemon off; pid {dir}/pid; error_log stderr; events {{}}\n\
         http {{ access_log off; {temporary}\n\
         server {{ listen {PROXY}:443 ssl; server_name khor.test; ssl_certificate {dir}/cert.pem;\n\
         ssl_certificate_key {dir}/key.pem; location / {{ proxy_pass http://{engine}; {headers} }} }}\n\
         server {{ listen {PROXY}:80; server_name studio.test;\n\
         location /khor/ {{ proxy_pass http://{engine}/; {headers} }} }} }}\n",
        dir = dir.display()
    );
    fs::write(dir.join("nginx.conf"), config).expect("writing the configuration");
    let mut command = Command::new(nginx);
    command.args(["-e", "stderr", "-p"]).arg(&dir).arg("-c").arg(dir.join("nginx.conf"));
    let mut server = Server::start(&mut command, dir.join("log"), Some(tree));
    server.wait_for(&format!("{PROXY}:443"));
    Some(server)
}

#[test]
fn nginx_in_front_works_with_a_token() {
    if !root_or_skip() {
        return;
    }
    let owner = SecondUser::new(OWNER);
    let token = owner.home().join(".config/khor/token");
    owner.write(&token, TOKEN);
    let names = ["khor.test", "http://studio.test"];
    owner.configure(
        &json!({ "listen": { "port": free_port(), "token_file": token, "allowed_hosts": names } }),
    );
    let engine = UserEngine::start(&owner, &FLAGS);
    let Some(server) = nginx(engine.address()) else { return skip("needs nginx") };
    let visitor = SecondUser::new(OTHER);
    let login = json!({ "token": TOKEN, "path": "/khor/" }).to_string();
    for (base, path) in [("https://khor.test", ""), ("http://studio.test", "/khor")] {
        let jar = visitor.home().join(format!("cookies{}", path.len())).display().to_string();
        let ask = |origin: Option<&str>, more: &[&str]| {
            let resolve = [format!("khor.test:443:{PROXY}"), format!("studio.test:80:{PROXY}")];
            let origin = origin.map(|origin| format!("Origin: {origin}"));
            let mut arguments = vec!["--insecure", "--cookie", &jar, "--cookie-jar", &jar];
            arguments.extend(resolve.iter().flat_map(|name| ["--resolve", name.as_str()]));
            arguments.extend(origin.iter().flat_map(|header| ["--header", header.as_str()]));
            arguments.extend(more);
            curl(&visitor, &arguments)
        };
        let url = |api: &str| format!("{base}{path}{api}");
        let (page, api, metrics) = (url("/"), url("/api/health"), url("/metrics"));
        assert_eq!(ask(None, &[&page]).0, 200, "{}", server.log());
        assert_eq!(ask(Some(base), &[&api]).0, 401, "a request without a token");
        let bearer = format!("Authorization: Bearer {TOKEN}");
        assert_eq!(ask(None, &["--header", &bearer, &metrics]).0, 200, "a scrape with the token");
        let sign_in = url("/api/login");
        let json = ["--header", "Content-Type: application/json", "--data"];
        let signed = ask(Some(base), &[&json[..], &[login.as_str(), sign_in.as_str()]].concat());
        assert_eq!(signed.0, 200, "{}", signed.1);
        assert_eq!(signed.1.contains("; Secure"), base.starts_with("https"), "{}", signed.1);
        if path.is_empty() {
            // The cookie of the first login is valid only below `/khor/`, so this page needs
            // another login.
            let whole = json!({ "token": TOKEN }).to_string();
            assert_eq!(ask(Some(base), &[&json[..], &[whole.as_str(), sign_in.as_str()]].concat()).0, 200);
        }
        assert_eq!(ask(Some(base), &[&api]).0, 200, "a request by the page of {base}");
        let change = url("/api/config");
        let patch = ["--request", "PATCH", json[0], json[1], "--data", r#"{"music": {"bpm": 93}}"#, &change];
        assert_eq!(ask(Some(base), &patch).0, 200, "a change by the page of {base}");
        for foreign in
            ["http://khor.test", "https://khor.test:8443", "https://studio.test", "https://evil.test"]
        {
            assert_eq!(ask(Some(foreign), &[&api]).0, 403, "a request to {base} by a page of {foreign}");
            assert_eq!(ask(Some(foreign), &patch).0, 403, "a request to {base} by a page of {foreign}");
        }
    }
}
