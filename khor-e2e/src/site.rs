//! A site for tests: a real NATS server with TLS and accounts, hosts in network namespaces, and
//! their relays. The engine plays `home`. Relays that aggregate publish the sites `rack`, `a`, `b`
//! and `hall` in `home`, and `a` in `hall`.

use std::{
    fs::{self, File},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
};

use khor_patience::progress;
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use nkeys::KeyPair;
use tempfile::TempDir;

use crate::{engine::program, free_port, lock::MachineLock, wait_for, wait_until};

/// Where Debian's package puts it.
const SERVER: &str = "/usr/sbin/nats-server";
/// A user who may publish everything, with a password, for clients that are not khor's.
const STRANGER: (&str, &str) = ("stranger", "a-password-of-the-tests");

/// A NATS server for the site `home`; killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    dir: TempDir,
    port: u16,
    child: Child,
}

impl NatsServer {
    /// Whether there is one to run.
    pub fn is_installed() -> bool {
        Path::new(SERVER).exists()
    }

    /// Makes certificates and users, and starts it on all addresses of this machine.
    pub fn start() -> Self {
        Self::start_with("", accounts)
    }

    /// Like `start`, with additional TLS settings. `access` writes its files into the server's
    /// directory, and returns the part of the configuration that admits clients.
    pub(crate) fn start_with(tls: &str, access: impl FnOnce(&Path) -> String) -> Self {
        progress("starting the NATS server");
        let dir = TempDir::new().expect("a directory");
        certificates(dir.path());
        let (port, access) = (free_port(), access(dir.path()));
        let configuration = format!(
            r#"
host: "0.0.0.0"
port: {port}
tls {{ cert_file: "server.pem", key_file: "server.key", {tls} }}
{access}
"#
        );
        fs::write(dir.path().join("nats.conf"), configuration).expect("its configuration");
        let child = serve(dir.path());
        let server = Self { dir, port, child };
        server.wait();
        server
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a machine that fails would.
    pub fn kill(&mut self) {
        self.child.kill().expect("killing it");
        self.child.wait().expect("its end");
    }

    /// Suspends the server with its connections open, which looks like a cut cable to all clients.
    /// Or resumes it.
    pub fn hang(&self, hangs: bool) {
        let signal = if hangs { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(self.pid() as i32), signal).expect("signalling it");
    }

    /// Restarts the server with a limit on the length of messages, bytes.
    pub fn set_max_payload(&mut self, bytes: usize) {
        self.kill();
        let path = self.dir.path().join("nats.conf");
        let text = fs::read_to_string(&path).expect("its configuration");
        let limit = format!("max_payload: {bytes}");
        let kept = text.lines().filter(|line| !line.starts_with("max_payload"));
        let lines: Vec<&str> = kept.chain([limit.as_str()]).collect();
        fs::write(&path, lines.join("\n")).expect("its configuration");
        self.restart();
    }

    /// Starts the server again, on the same port.
    pub fn restart(&mut self) {
        self.child = serve(self.dir.path());
        self.wait();
    }

    fn wait(&self) {
        wait_until("the NATS server", || {
            std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
        });
    }

    /// Its address, for clients to which this machine is `host`.
    pub fn url(&self, host: Ipv4Addr) -> String {
        format!("tls://{host}:{}", self.port)
    }

    /// The certificate of the authority that vouches for it.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A file of its directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The seed of a user: `relay`, `engine`, `elsewhere` (another account), `nobody` (unknown to
    /// this server), or an aggregator. Those are `aggregator` (of `rack`), `a`, `b`, `hall`, and
    /// `nested`, which publishes `a` in `hall`.
    pub fn nkey(&self, who: &str) -> PathBuf {
        self.file(&format!("{who}.nk"))
    }

    /// Options for a program of khor with the credentials of `who`.
    pub fn options(&self, host: Ipv4Addr, who: &str) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        let (url, ca, nkey) = (self.url(host), text(self.ca()), text(self.nkey(who)));
        ["--nats", &url, "--tls-ca", &ca, "--nkey", &nkey].map(str::to_owned).to_vec()
    }

    /// A client that is no relay and may publish and subscribe to anything, for any runtime.
    pub fn unrestricted_client(&self) -> impl Future<Output = async_nats::Client> + Send + use<> {
        let (ca, url) = (self.ca(), self.url(Ipv4Addr::LOCALHOST));
        let (name, password) = STRANGER;
        let options = async_nats::ConnectOptions::new().add_root_certificates(ca);
        let options = options.user_and_password(name.into(), password.into());
        async { options.connect(url).await.expect("a connection") }
    }

    /// Publishes `messages` under their subjects, as a client that is no relay.
    pub fn send(&self, messages: &[(&str, Vec<u8>)]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = self.unrestricted_client().await;
            for (subject, bytes) in messages {
                client.publish((*subject).to_owned(), bytes.clone().into()).await.expect("sending");
            }
            client.flush().await.expect("sending all");
        });
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(dir: &Path) -> Child {
    let log = File::options().create(true).append(true).open(dir.join("log")).expect("a log");
    Command::new(SERVER).current_dir(dir).args(["-c", "nats.conf"]).stderr(log).spawn().expect("nats-server")
}

/// An authority, and its certificate for the server.
fn certificates(dir: &Path) {
    openssl(dir, "-keyout ca.key -out ca.pem -subj /CN=khor-tests -addext basicConstraints=critical,CA:TRUE");
    let names: Vec<String> = (1..=9).map(|i| format!("IP:{}", gateway(i))).collect();
    openssl(
        dir,
        &format!(
            "-CA ca.pem -CAkey ca.key -keyout server.key -out server.pem -subj /CN=localhost \
             -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1,{}",
            names.join(",")
        ),
    );
}

/// A certificate and its key, as `openssl req` makes them.
pub(crate) fn openssl(dir: &Path, arguments: &str) {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let arguments = new.split_whitespace().chain(arguments.split_whitespace());
    let output = Command::new("openssl").current_dir(dir).args(arguments).output().expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Relays may publish frames and cues of their site and subscribe to nothing. Engines may subscribe
/// and publish nothing. Relays that aggregate may subscribe to one site and publish to another.
fn accounts(dir: &Path) -> String {
    let user = |who: &str| {
        let pair = KeyPair::new_user();
        fs::write(dir.join(format!("{who}.nk")), pair.seed().expect("a seed")).expect("its file");
        pair.public_key()
    };
    let (relay, engine, elsewhere, _nobody) =
        (user("relay"), user("engine"), user("elsewhere"), user("nobody"));
    let all = |site: &str, kinds: &[&str]| {
        let subject = |kind: &&str| format!("\"khor.v1.{site}.*.{kind}\"");
        kinds.iter().map(subject).collect::<Vec<_>>().join(", ")
    };
    let aggregator = |who: &str, heard: &str, told: &str| {
        let (key, itself) = (user(who), format!("\"khor.v1.{told}.{heard}.site\""));
        let (cues, hears) = (all(told, &["cue"]), all(heard, &["frame", "cue", "site"]));
        format!(
            "{{ nkey: {key}, permissions: {{ publish: [{itself}, {cues}], subscribe: [{hears}, {itself}] }} }}"
        )
    };
    let aggregators = [("aggregator", "rack"), ("a", "a"), ("b", "b"), ("hall", "hall")]
        .map(|(who, heard)| (who, heard, "home"));
    let aggregators = [&aggregators[..], &[("nested", "a", "hall")]].concat();
    let aggregators = aggregators.into_iter().map(|(who, heard, told)| aggregator(who, heard, told));
    let aggregators = aggregators.collect::<Vec<_>>().join("\n    ");
    let relays = [all("home", &["frame", "cue"]), all("rack", &["frame", "cue"])].join(", ");
    let homes = all("home", &["frame", "cue", "site"]);
    let (name, password) = STRANGER;
    format!(
        r#"accounts {{
  HOME {{ users: [
    {{ nkey: {relay}, permissions: {{ publish: [{relays}], subscribe: {{ deny: ">" }} }} }}
    {aggregators}
    {{ nkey: {engine}, permissions: {{ subscribe: [{homes}], publish: {{ deny: ">" }} }} }}
    {{ user: {name}, password: "{password}" }}
  ] }}
  ELSEWHERE {{ users: [ {{ nkey: {elsewhere} }} ] }}
}}"#
    )
}

/// This machine as host `number` sees it.
fn gateway(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 177, number, 1)
}

/// A host: a network namespace with one cable to this machine; removed when dropped.
#[derive(Debug)]
pub struct CabledHost {
    name: String,
    number: u8,
    /// Keeps other tests from using this name and these addresses. Released after the namespace is
    /// removed.
    _lock: MachineLock,
}

impl CabledHost {
    /// Host `number` (1 to 9). Waits while another test uses this number. To avoid deadlocks,
    /// create several hosts in ascending order.
    pub fn new(number: u8) -> Self {
        let name = format!("khor-test-{number}");
        let lock = MachineLock::wait_for(&format!("namespace-{name}"));
        let namespace = Self { name, number, _lock: lock };
        // A namespace that a killed test has left behind.
        let _ = ip(&format!("netns del {}", namespace.name));
        let (name, cable, this) = (&namespace.name, namespace.cable(), gateway(number));
        let there = Ipv4Addr::new(10, 177, number, 2);
        for command in [
            format!("netns add {name}"),
            format!("link add {cable} type veth peer name eth0 netns {name}"),
            format!("addr add {this}/30 dev {cable}"),
            format!("link set {cable} up"),
            format!("-n {name} addr add {there}/30 dev eth0"),
            format!("-n {name} link set eth0 up"),
            format!("-n {name} link set lo up"),
        ] {
            assert!(ip(&command), "ip {command}");
        }
        namespace
    }

    fn cable(&self) -> String {
        format!("khor-test-{}", self.number)
    }

    /// This machine, as it is seen from there.
    pub fn gateway(&self) -> Ipv4Addr {
        gateway(self.number)
    }

    /// Plugs the cable in or out.
    pub fn plug(&self, is_in: bool) {
        assert!(ip(&format!("link set {} {}", self.cable(), if is_in { "up" } else { "down" })));
    }

    /// Makes this thread one of that host's.
    pub fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.name)).expect("the namespace");
        setns(file, CloneFlags::CLONE_NEWNET).expect("entering it");
    }
}

impl Drop for CabledHost {
    fn drop(&mut self) {
        let _ = ip(&format!("netns del {}", self.name));
    }
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split_whitespace()).output().is_ok_and(|output| output.status.success())
}

/// A running `khor relay`; killed when dropped.
#[derive(Debug)]
pub struct Relay {
    child: Child,
    dir: TempDir,
}

impl Relay {
    /// Starts one on a host, or on this machine, with these options.
    pub fn start(on: Option<&CabledHost>, options: &[String]) -> Self {
        Self::run(on, &["--no-bpf".to_owned()], true, options)
    }

    /// Starts a relay that subscribes to one site and publishes it to another.
    pub fn aggregate(on: Option<&CabledHost>, (heard, told): (&str, &str), options: &[String]) -> Self {
        Self::run(on, &["--aggregate", heard, "--site", told].map(str::to_owned), false, options)
    }

    fn run(on: Option<&CabledHost>, first: &[String], learns: bool, options: &[String]) -> Self {
        progress("starting a relay");
        let dir = TempDir::new().expect("a directory");
        let mut command = match on {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &namespace.name]).arg(program("khor"));
                command
            }
            None => Command::new(program("khor")),
        };
        command.arg("relay").args(first);
        if learns {
            command.arg("--baseline").arg(dir.path().join("baseline.json"));
        }
        let child = command
            .args(options)
            .stderr(File::create(dir.path().join("log")).expect("a log"))
            .spawn()
            .expect("khor relay");
        Self { child, dir }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Its memory, KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Stops it, and waits until it has ended.
    pub fn stop(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGINT).expect("signalling it");
        wait_for("the relay to stop", || self.child.try_wait().expect("its state"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
