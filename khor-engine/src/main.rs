//! The `khor` command.

fn main() {}
