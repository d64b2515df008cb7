//! Security tests. Another user, a web page, a peer and a member of the group `khor` attack a newly
//! started engine and collector.
//!
//! Each attempt is a row of a table: its name, the attacker's gain, and the attempt. A test runs
//! the rows of a table in a process of the attacker's user, and fails with the list of successful
//! attempts. It then runs the same rows as a user who has access. These attempts must succeed,
//! which proves that they are valid requests. The tests run as root.

mod attempt;
mod bounds;
mod exhaustion;
mod files;
mod group;
mod loopback;
mod names;
mod osc;
mod peers;
mod requests;
mod squatter;
mod system_bus;
mod tables;
mod tiny_capture;
mod tokens;
mod web_page;
