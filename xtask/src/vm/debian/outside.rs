//! Runs clients on the host that connect to the virtual machine's engine: two listeners and a page.
//!
//! qemu forwards two loopback ports of the host to the machine. The servers in the machine run only
//! during one test, so each client tries to connect again and again until the machine ends. One
//! listener uses an SSH tunnel.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::process::output;

/// Token of the engine's API. It must equal the token in `khor-e2e/tests/system/own_traffic.rs`.
const TOKEN: &str = "a-token-that-only-this-test-uses-0123456789";
pub(super) const USER: &str = "listener";
const ENGINE_PORT: u16 = 17321;
const SSH_PORT: u16 = 22;
/// Time between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);
/// Longest time for which a client waits for data. Then it checks whether it must stop.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The host's ports that lead to the machine, and the SSH key that the machine accepts.
pub(in crate::vm) struct Outside {
    engine: u16,
    ssh: u16,
    tunnel: u16,
    key: PathBuf,
}

/// Running clients. Dropping this value stops them.
pub(in crate::vm) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Outside {
    /// Chooses free ports, and creates a key in `folder`.
    pub(super) fn prepare(folder: &Path) -> Result<Self> {
        let key = folder.join("ssh-key");
        for file in [key.clone(), key.with_extension("pub")] {
            let _ = fs::remove_file(file); // ssh-keygen asks before it replaces a file
        }
        output(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
        Ok(Self { engine: free_port()?, ssh: free_port()?, tunnel: free_port()?, key })
    }

    /// The public key that the machine accepts.
    pub(super) fn public_key(&self) -> Result<String> {
        fs::read_to_string(self.key.with_extension("pub")).context("cannot read the public key")
    }

    /// qemu's options for a network card. From outside, the machine can only be reached through the
    /// ports `engine` and `ssh`.
    pub(super) fn qemu_options(&self) -> [String; 4] {
        let forward = |from: u16, to: u16| format!("hostfwd=tcp:127.0.0.1:{from}-:{to}");
        let forwards = [forward(self.engine, ENGINE_PORT), forward(self.ssh, SSH_PORT)].join(",");
        let card = "virtio-net-pci,netdev=outside".to_owned();
        ["-netdev".into(), format!("user,id=outside,restrict=on,{forwards}"), "-device".into(), card]
    }

    /// Starts the clients.
    pub(in crate::vm) fn start(&self) -> Clients {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |port: u16, path: &'static str| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || while_running(&stop, || receive(port, path, &stop)))
        };
        let mut threads = vec![
            client(self.engine, "/listen.wav"),
            client(self.engine, "/stream"),
            client(self.tunnel, "/listen.wav"),
        ];
        let (stop_tunnel, mut ssh) = (Arc::clone(&stop), self.ssh());
        threads.push(thread::spawn(move || while_running(&stop_tunnel, || tunnel(&mut ssh, &stop_tunnel))));
        Clients { stop, threads }
    }

    fn ssh(&self) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-N",
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ]);
        ssh.args(["-o", "ExitOnForwardFailure=yes", "-o", "LogLevel=ERROR", "-i"]).arg(&self.key);
        ssh.arg("-L").arg(format!("127.0.0.1:{}:127.0.0.1:{ENGINE_PORT}", self.tunnel));
        ssh.arg("-p").arg(self.ssh.to_string()).arg(format!("{USER}@127.0.0.1"));
        ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        ssh
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn while_running(stop: &AtomicBool, mut attempt: impl FnMut()) {
    while !stop.load(Ordering::Relaxed) {
        attempt();
        sleep(RETRY);
    }
}

/// Requests `/api{path}` and discards the response, until the connection ends.
fn receive(port: u16, path: &str, stop: &AtomicBool) {
    let Ok(mut socket) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
    let request = format!(
        "GET /api{path} HTTP/1.1\r\nHost: 127.0.0.1:{ENGINE_PORT}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    if socket.set_read_timeout(Some(READ_TIMEOUT)).is_err() || socket.write_all(request.as_bytes()).is_err() {
        return;
    }
    let mut buffer = vec![0; 1 << 16];
    while !stop.load(Ordering::Relaxed) {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Err(error) if !matches!(error.kind(), std::io::ErrorKind::WouldBlock) => return,
            _ => {}
        }
    }
}

/// Runs an SSH tunnel until the program `ssh` ends or `stop` is true.
fn tunnel(ssh: &mut Command, stop: &AtomicBool) {
    let Ok(mut child) = ssh.spawn() else { return };
    while !stop.load(Ordering::Relaxed) && is_running(&mut child) {
        sleep(RETRY);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn is_running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
