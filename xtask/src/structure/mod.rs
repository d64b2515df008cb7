//! Tests of the code's structure: which crates and which files may depend on which.

mod crates;
mod cycles;
mod imports;
