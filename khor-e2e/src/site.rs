//! A site for tests: a real NATS server with TLS and accounts, hosts in network namespaces, and
//! their relays. The engine plays the site `home`. Aggregating relays publish the sites `rack`,
//! `a`, `b` and `hall` in `home`, and `a` in `hall`.

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

/// Path of the NATS server that Debian's package installs.
const SERVER: &str = "/usr/sbin/nats-server";
/// Name and password of a user with all permissions, for clients that are not khor's programs.
const UNRESTRICTED_USER: (&str, &str) = ("stranger", "a-password-of-the-tests");

/// A NATS server for the site `home`; killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    dir: TempDir,
    port: u16,
    child: Child,
}

impl NatsServer {
    /// Whether a NATS server is installed.
    pub fn is_installed() -> bool {
        Path::new(SERVER).exists()
    }

    /// Creates certificates and users, and starts the server on all addresses of this machine.
    pub fn start() -> Self {
        Self::start_with("", accounts)
    }

    /// Like `start`, with additional TLS settings. `access` writes its files into the server's
    /// directory, and returns the part of the server's configuration that admits clients.
    pub(crate) fn start_with(tls: &str, access: impl FnOnce(&Path) -> String) -> Self {
        progress("starting the NATS server");
        let dir = TempDir::new().expect("creating a temporary directory");
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
        fs::write(dir.path().join("nats.conf"), configuration).expect("writing nats.conf");
        let child = serve(dir.path());
        let server = Self { dir, port, child };
        server.wait();
        server
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the server, as if its machine had failed.
    pub fn kill(&mut self) {
        self.child.kill().expect("killing the NATS server");
        self.child.wait().expect("waiting for the NATS server");
    }

    /// Suspends (`true`) or resumes (`false`) the server. A suspended server keeps its connections
    /// open, so clients see the same as after a cut cable.
    pub fn hang(&self, is_suspended: bool) {
        let signal = if is_suspended { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(self.pid() as i32), signal).expect("sending the signal to the NATS server");
    }

    /// Limits the length of messages, in bytes. For this, the server is killed and restarted.
    pub fn set_max_payload(&mut self, bytes: usize) {
        self.kill();
        let path = self.dir.path().join("nats.conf");
        let text = fs::read_to_string(&path).expect("reading nats.conf");
        let limit = format!("max_payload: {bytes}");
        let kept = text.lines().filter(|line| !line.starts_with("max_payload"));
        let lines: Vec<&str> = kept.chain([limit.as_str()]).collect();
        fs::write(&path, lines.join("\n")).expect("writing nats.conf");
        self.restart();
    }

    /// Restarts the server on the same port, after [`Self::kill`].
    pub fn restart(&mut self) {
        self.child = serve(self.dir.path());
        self.wait();
    }

    fn wait(&self) {
        wait_until("the NATS server to accept connections", || {
            std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
        });
    }

    /// The server's URL, for clients that reach this machine at `host`.
    pub fn url(&self, host: Ipv4Addr) -> String {
        format!("tls://{host}:{}", self.port)
    }

    /// The path of the certificate of the authority that signed the server's certificate.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The path of a file in the server's directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The path of a user's seed, which is its private key. The users are `relay`, `engine`,
    /// `elsewhere` (of another account), `nobody` (unknown to this server), and the aggregating
    /// relays. Aggregating relays are `aggregator` (of `rack`), `a`, `b`, `hall`, and `nested`,
    /// which publishes `a` in `hall`.
    pub fn nkey(&self, user: &str) -> PathBuf {
        self.file(&format!("{user}.nk"))
    }

    /// Command-line options with which a khor program connects to this server as `user`.
    pub fn options(&self, host: Ipv4Addr, user: &str) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        let (url, ca, nkey) = (self.url(host), text(self.ca()), text(self.nkey(user)));
        ["--nats", &url, "--tls-ca", &ca, "--nkey", &nkey].map(str::to_owned).to_vec()
    }

    /// Connects a client that may publish and subscribe to anything. It is not a program of khor.
    pub fn unrestricted_client(&self) -> impl Future<Output = async_nats::Client> + Send + use<> {
        let (ca, url) = (self.ca(), self.url(Ipv4Addr::LOCALHOST));
        let (name, password) = UNRESTRICTED_USER;
        let options = async_nats::ConnectOptions::new().add_root_certificates(ca);
        let options = options.user_and_password(name.into(), password.into());
        async { options.connect(url).await.expect("an open connection") }
    }

    /// Publishes `messages` with [`Self::unrestricted_client`]. Each message has its own subject.
    pub fn send(&self, messages: &[(&str, Vec<u8>)]) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        runtime.block_on(async {
            let client = self.unrestricted_client().await;
            for (subject, bytes) in messages {
                client
                    .publish((*subject).to_owned(), bytes.clone().into())
                    .await
                    .expect("publishing a message");
            }
            client.flush().await.expect("flushing the connection");
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
    let log = File::options().create(true).append(true).open(dir.join("log")).expect("opening the log file");
    Command::new(SERVER)
        .current_dir(dir)
        .args(["-c", "nats.conf"])
        .stderr(log)
        .spawn()
        .expect("starting nats-server")
}

/// Creates a certificate authority, and a certificate for the server.
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

/// Creates a certificate and its key by `openssl req` with these arguments.
pub(crate) fn openssl(dir: &Path, arguments: &str) {
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let arguments = new.split_whitespace().chain(arguments.split_whitespace());
    let output = Command::new("openssl").current_dir(dir).args(arguments).output().expect("starting openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The configuration of the server's accounts; the users' seeds are written to `dir`. Relays may
/// publish frames and cues of their site, but not subscribe. Engines may subscribe, but not
/// publish. Aggregating relays may subscribe to one site and publish to another.
fn accounts(dir: &Path) -> String {
    let user = |name: &str| {
        let pair = KeyPair::new_user();
        fs::write(dir.join(format!("{name}.nk")), pair.seed().expect("the user's seed"))
            .expect("writing the seed");
        pair.public_key()
    };
    let (relay, engine, elsewhere, _nobody) =
        (user("relay"), user("engine"), user("elsewhere"), user("nobody"));
    let all = |site: &str, kinds: &[&str]| {
        let subject = |kind: &&str| format!("\"khor.v1.{site}.*.{kind}\"");
        kinds.iter().map(subject).collect::<Vec<_>>().join(", ")
    };
    let aggregator = |name: &str, from: &str, to: &str| {
        let (key, summary) = (user(name), format!("\"khor.v1.{to}.{from}.site\""));
        let (cues, received) = (all(to, &["cue"]), all(from, &["frame", "cue", "site"]));
        format!(
            "{{ nkey: {key}, permissions: {{ publish: [{summary}, {cues}], subscribe: [{received}, {summary}] }} }}"
        )
    };
    let aggregators = [("aggregator", "rack"), ("a", "a"), ("b", "b"), ("hall", "hall")]
        .map(|(name, from)| (name, from, "home"));
    let aggregators = [&aggregators[..], &[("nested", "a", "hall")]].concat();
    let aggregators = aggregators.into_iter().map(|(name, from, to)| aggregator(name, from, to));
    let aggregators = aggregators.collect::<Vec<_>>().join("\n    ");
    let relays = [all("home", &["frame", "cue"]), all("rack", &["frame", "cue"])].join(", ");
    let homes = all("home", &["frame", "cue", "site"]);
    let (name, password) = UNRESTRICTED_USER;
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

/// This machine's address on the virtual cable to host `number`.
fn gateway(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 177, number, 1)
}

/// A host: a network namespace with a virtual cable to this machine. Dropping this value removes
/// both.
#[derive(Debug)]
pub struct CabledHost {
    name: String,
    number: u8,
    /// Keeps other tests from using this name and these addresses. Released after the namespace is
    /// removed.
    _lock: MachineLock,
}

impl CabledHost {
    /// Creates host `number` (1 to 9). Waits while another test uses this number. To avoid
    /// deadlocks, create several hosts in ascending order.
    pub fn new(number: u8) -> Self {
        let name = format!("khor-test-{number}");
        let lock = MachineLock::wait_for(&format!("namespace-{name}"));
        let namespace = Self { name, number, _lock: lock };
        // Remove a namespace that a killed test has not removed.
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
            assert!(ip(&command), "the command failed: ip {command}");
        }
        namespace
    }

    fn cable(&self) -> String {
        format!("khor-test-{}", self.number)
    }

    /// The address at which the host reaches this machine.
    pub fn gateway(&self) -> Ipv4Addr {
        gateway(self.number)
    }

    /// Plugs the host's cable in (`true`) or unplugs it (`false`).
    pub fn plug(&self, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        assert!(ip(&format!("link set {} {state}", self.cable())), "ip cannot set the cable {state}");
    }

    /// Moves the calling thread into the host's network namespace, so that its sockets belong to
    /// the host.
    pub fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.name)).expect("opening the host's namespace");
        setns(file, CloneFlags::CLONE_NEWNET).expect("entering the host's namespace");
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

/// A running `khor relay`, killed when dropped.
#[derive(Debug)]
pub struct Relay {
    child: Child,
    dir: TempDir,
}

impl Relay {
    /// Starts a relay with these options, on a host or on this machine.
    pub fn start(on: Option<&CabledHost>, options: &[String]) -> Self {
        Self::run(on, &["--no-bpf".to_owned()], true, options)
    }

    /// Starts a relay that aggregates the site `from` and publishes it in the site `to`.
    pub fn aggregate(on: Option<&CabledHost>, (from, to): (&str, &str), options: &[String]) -> Self {
        Self::run(on, &["--aggregate", from, "--site", to].map(str::to_owned), false, options)
    }

    fn run(on: Option<&CabledHost>, first: &[String], learns: bool, options: &[String]) -> Self {
        progress("starting a relay");
        let dir = TempDir::new().expect("creating a temporary directory");
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
            .stderr(File::create(dir.path().join("log")).expect("creating the log file"))
            .spawn()
            .expect("starting khor relay");
        Self { child, dir }
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The relay's log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The relay's resident memory, KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("reading the relay's process status");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS in the relay's status");
        line.trim().trim_end_matches(" kB").parse().expect("VmRSS in kB")
    }

    /// Stops the relay by SIGINT, and waits for its exit.
    pub fn stop(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGINT).expect("sending SIGINT to the relay");
        wait_for("the relay to stop", || self.child.try_wait().expect("the relay's process state"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
