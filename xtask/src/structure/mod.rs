//! Tests of the code's structure: which crates and which files may depend on which.

pub(crate) mod crates;
mod cycles;
mod imports;
