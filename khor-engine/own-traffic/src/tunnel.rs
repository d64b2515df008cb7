//! Finds connections that come through an ssh tunnel (`ssh -L`).
//!
//! If a client uses a tunnel, khor's direct client is sshd on this machine. sshd forwards the bytes
//! to the real client, so they also pass a network device at the machine's edge.

use std::{
    collections::{HashMap, HashSet},
    fs,
    net::SocketAddr,
    path::Path,
};

use khor_proto::kernel_text;
use khor_system::peer;

/// Names of the programs that can hold a tunnelled connection. Since OpenSSH 9.8, each session runs
/// in the separate program `sshd-session`.
const NAMES: [&str; 2] = ["sshd", "sshd-session"];
/// The process title of an ssh session begins with one of these texts.
const TITLES: [&str; 2] = ["sshd: ", "sshd-session: "];

/// The result of a search for one connection: whether the connection's client is sshd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) is_sshd: bool,
}

/// The socket at the client's end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct End {
    uid: u32,
    inode: u32,
}

/// The data about this machine's processes that the search needs.
#[derive(Debug, Default)]
struct Processes {
    /// The name of a program that has a socket open, by the inode of the socket.
    holders: HashMap<u32, String>,
    /// The users that have an ssh session.
    ssh_users: HashSet<u32>,
}

/// Determines which connections have sshd as their client. Each connection has a number, the
/// server's address and the client's address.
pub(super) fn search(connections: Vec<(u64, SocketAddr, SocketAddr)>) -> Vec<Client> {
    let ends: Vec<_> = connections
        .into_iter()
        .map(|(id, local, remote)| {
            let socket = peer::client_socket(local, remote);
            (id, socket.map(|(uid, inode)| End { uid, inode }))
        })
        .collect();
    let wanted = ends.iter().filter_map(|(_, end)| end.map(|end| end.inode)).collect();
    let processes = Processes::read(Path::new("/proc"), &wanted);
    ends.into_iter()
        .map(|(id, end)| Client { id, is_sshd: end.is_some_and(|end| processes.is_sshd(end)) })
        .collect()
}

impl Processes {
    fn read(proc: &Path, wanted: &HashSet<u32>) -> Self {
        let mut processes = Self::default();
        for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
                // A process may end at any time, so errors are ignored.
                processes.take(&entry.path(), wanted);
            }
        }
        processes
    }

    fn take(&mut self, process: &Path, wanted: &HashSet<u32>) -> Option<()> {
        let name = kernel_text::read(process.join("comm")).ok()?.trim().to_owned();
        if NAMES.contains(&&*name)
            && is_session(&kernel_text::read(process.join("cmdline")).unwrap_or_default())
        {
            self.ssh_users.extend(user_of(&kernel_text::read(process.join("status")).ok()?));
        }
        for descriptor in fs::read_dir(process.join("fd")).ok()?.flatten() {
            let target = fs::read_link(descriptor.path()).unwrap_or_default();
            let inode = target.to_str().and_then(|it| it.strip_prefix("socket:[")?.strip_suffix(']'));
            let inode = inode.and_then(|inode| inode.parse().ok());
            if let Some(inode) = inode.filter(|inode| wanted.contains(inode)) {
                self.holders.insert(inode, name.clone());
            }
        }
        Some(())
    }

    /// Whether sshd has this socket open. Only root can read which sockets sshd has open. A socket
    /// of an unknown program therefore counts as sshd's if its user has an ssh session.
    fn is_sshd(&self, end: End) -> bool {
        match self.holders.get(&end.inode) {
            Some(name) => NAMES.contains(&&**name),
            None => self.ssh_users.contains(&end.uid),
        }
    }
}

/// Whether a process with this title forwards connections. sshd's other processes have a role in
/// brackets, such as `[listener]` or `[priv]`.
fn is_session(title: &str) -> bool {
    TITLES.iter().any(|begin| title.starts_with(begin)) && !title.contains('[')
}

/// The real user ID in `/proc/PID/status`.
fn user_of(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        net::{TcpListener, TcpStream},
        os::unix::fs::symlink,
    };

    use super::*;

    /// Writes the files that `/proc` would contain for a process. If `socket` is `None`, the
    /// process's descriptors are not readable.
    fn process(proc: &Path, pid: u32, name: &str, title: &str, uid: u32, socket: Option<u32>) {
        let folder = proc.join(pid.to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
        fs::write(folder.join("cmdline"), title).unwrap();
        fs::write(folder.join("status"), format!("Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"))
            .unwrap();
        if let Some(inode) = socket {
            fs::create_dir(folder.join("fd")).unwrap();
            symlink(format!("socket:[{inode}]"), folder.join("fd/3")).unwrap();
        }
    }

    #[test]
    fn sshd_sockets_are_recognised() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 1, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", 0, None);
        process(proc.path(), 2, "sshd", "sshd: ana [priv]", 0, None);
        process(proc.path(), 3, "sshd-session", "sshd-session: ana", 1000, None);
        process(proc.path(), 4, "mpv", "mpv\0http://127.0.0.1:17321", 1000, Some(44));
        process(proc.path(), 5, "sshd", "sshd: root@notty", 0, Some(55));
        let processes = Processes::read(proc.path(), &HashSet::from([44, 55, 66, 77]));
        let is_sshd = |uid, inode| processes.is_sshd(End { uid, inode });
        assert!(!is_sshd(1000, 44), "mpv has this socket open");
        assert!(is_sshd(0, 55));
        assert!(is_sshd(1000, 66), "no readable process has this socket open");
        assert!(!is_sshd(1001, 77), "this user has no ssh session");
    }

    #[test]
    fn only_sessions_forward_connections() {
        let titles = ["sshd: ana@pts/0", "sshd: ana", "sshd-session: ana@notty"];
        assert!(titles.into_iter().all(is_session));
        let others =
            ["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100", "sshd: ana [priv]", "/usr/sbin/sshd -D"];
        assert!(!others.into_iter().any(is_session));
    }

    #[test]
    fn client_in_this_process_is_no_tunnel() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, remote) = listener.accept().unwrap();
        let found = search(vec![(7, server.local_addr().unwrap(), remote)]);
        assert_eq!(found, [Client { id: 7, is_sshd: false }]);
    }
}
