//! The attacker's script: another user, a web page, a peer and a member of the group `khor` attack
//! a fresh engine and a fresh collector.
//!
//! Each attempt is a row: its name, the attacker's gain, and the attempt itself. A test runs the
//! rows of a table in a process of the attacker's user, and fails with the list of successful
//! attempts. It then runs the same rows in a process of the honest user. They must succeed there,
//! which proves that the attempts are not refused because of their own faults. The tests run as
//! root.

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
