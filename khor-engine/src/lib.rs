//! khor's engine: turns what a machine is doing into signals, music and sound.
//!
//! Data flows one way, and the rooms depend on each other only in that direction:
//! [`signal`] → [`music`] → [`synth`]. These three do no I/O, take clock and seed as inputs, and run the
//! same offline and live.

pub mod music;
pub mod signal;
pub mod synth;
