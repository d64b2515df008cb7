//! Measures how slow this machine is now.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Number of steps in the fixed piece of work. The work takes longer than a time slice of the
/// scheduler, so other processes slow the measurement down too.
const STEPS: u32 = 1 << 21;
/// Time that [`STEPS`] steps take in optimised code, on an idle core of the reference machine. The
/// reference machine had 2 virtual cores, in 2026.
const REFERENCE: Duration = Duration::from_micros(5_200);

/// The machine's current slowness: the time of a fixed piece of work, divided by its time on the
/// reference machine. The result is at least 1.
pub fn slowness() -> f64 {
    let begun = Instant::now();
    work();
    (begun.elapsed().as_secs_f64() / REFERENCE.as_secs_f64()).max(1.0)
}

/// A chain of xorshift steps. Each step needs the previous one, so no processor can run them in
/// parallel.
fn work() {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..STEPS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_is_at_least_one() {
        let measured = slowness();
        println!("this machine is {measured:.2} times as slow as the reference machine");
        assert!((1.0..10_000.0).contains(&measured), "{measured}");
    }
}
