//! khor chores.
fn main() {}
