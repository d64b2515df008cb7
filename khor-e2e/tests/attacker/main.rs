//! The attacker's script: what another user, a web page, a peer and a member of the group `khor`
//! try against a fresh engine and a fresh collector.
//!
//! Each attempt is a row: its name, what success would look like, and the attempt itself. A test
//! runs the rows of one table in a process of the attacker's uid, and fails with the list of those
//! that succeeded. It then runs the same rows in a process of the honest user, where they must
//! succeed, so no attempt is refused for a reason of its own. The tests run as root.

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
