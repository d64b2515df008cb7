//! Memory layout shared by the in-kernel programs and the collector; `no_std`, no dependencies.
#![no_std]
