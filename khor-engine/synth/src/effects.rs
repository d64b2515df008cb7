//! Computes the effects that all voices share: vowel filter, delay, reverb, master gain and DC
//! block.
//!
//! All effects are linear. So each stem can have effects of its own, and the stems still add up to
//! the mix.

use khor_music::Controls;

use super::{
    delay::Delay,
    group::{BUSES, BusBlock, Buses},
    lanes::{BLOCK, LANES, sanitize},
    master::{DcBlock, Glide},
    reverb::Reverb,
    vowel_filter::{BusSums, VowelFilter},
};

/// Gains with which reverb and delay are added to the sound when their controls are 1.
const REVERB_RETURN: f32 = 0.9;
const DELAY_RETURN: f32 = 0.9;
/// Linear master gain at the setting 1. At the default setting, 0.5, the beds of the built-in
/// presets have a loudness of -23 LUFS.
const MASTER_AT_FULL: f32 = 2.0;

/// One block of the left channel and one block of the right channel.
pub(super) type Sides = [[f32; BLOCK]; 2];

/// The chain of effects. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Effects {
    vowel_filter: VowelFilter,
    delay: Delay,
    reverb: Reverb,
    delay_return: Glide,
    reverb_return: Glide,
    master: Glide,
    dc: DcBlock,
}

impl Effects {
    /// Creates the effects with default controls and the default master gain, 0.5.
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        let controls = Controls::default();
        let mut effects = Self {
            vowel_filter: VowelFilter::new(controls.vowel, sample_rate_hz),
            delay: Delay::new(sample_rate_hz),
            reverb: Reverb::new(sample_rate_hz),
            delay_return: Glide::new(controls.delay * DELAY_RETURN, sample_rate_hz),
            reverb_return: Glide::new(controls.reverb * REVERB_RETURN, sample_rate_hz),
            master: Glide::new(0.5 * MASTER_AT_FULL, sample_rate_hz),
            dc: DcBlock::new(sample_rate_hz),
        };
        effects.set_controls(&controls);
        effects
    }

    /// Sets the controls of the effects. Their values glide to the new ones. Real-time safe.
    pub(super) fn set_controls(&mut self, controls: &Controls) {
        self.reverb_return.set(controls.reverb.clamp(0.0, 1.0) * REVERB_RETURN);
        self.delay_return.set(controls.delay.clamp(0.0, 1.0) * DELAY_RETURN);
        self.delay.set_time(controls.echo_s);
        self.vowel_filter.set_vowel(controls.vowel);
    }

    /// Sets the gain to the product of `master_gain`, 0..=1, and `loudness_gain`. It glides to the
    /// new value. Real-time safe.
    pub(super) fn set_gain(&mut self, master_gain: f32, loudness_gain: f32) {
        self.master.set(master_gain.clamp(0.0, 1.0) * MASTER_AT_FULL * loudness_gain);
    }

    /// Renders one block from the voices' buses. `None` means that no voice sounds, so the effects
    /// only decay. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, buses: Option<&Buses>) -> Sides {
        let mut sums = match buses {
            Some(buses) => sum(&buses.straight),
            None => [[0.0; BLOCK]; BUSES],
        };
        let sung = match buses {
            Some(buses) if buses.sings => Some(sum(&buses.sung)),
            _ => None,
        };
        self.vowel_filter.render(sung.as_ref(), &mut sums);
        let [mut left, mut right, to_delay, to_reverb] = sums;
        self.add_delay_and_reverb(&to_delay, &to_reverb, &mut left, &mut right);
        self.dc.render(&mut left, &mut right);
        [left, right]
    }

    /// Adds delay and reverb to the sound, and then applies the master gain.
    #[inline(always)]
    fn add_delay_and_reverb(
        &mut self,
        to_delay: &[f32; BLOCK],
        to_reverb: &[f32; BLOCK],
        left: &mut [f32; BLOCK],
        right: &mut [f32; BLOCK],
    ) {
        let mut delay = [[0.0; BLOCK]; 2];
        let mut reverb = [[0.0; BLOCK]; 2];
        let [delay_left, delay_right] = &mut delay;
        self.delay.render(to_delay, delay_left, delay_right);
        let [reverb_left, reverb_right] = &mut reverb;
        self.reverb.render(to_reverb, reverb_left, reverb_right);
        let (delay_gain, reverb_gain) = (self.delay_return.block(), self.reverb_return.block());
        let master = self.master.block();
        for i in 0..BLOCK {
            left[i] = (left[i] + delay_gain[i] * delay[0][i] + reverb_gain[i] * reverb[0][i]) * master[i];
            right[i] = (right[i] + delay_gain[i] * delay[1][i] + reverb_gain[i] * reverb[1][i]) * master[i];
        }
    }
}

/// Sums the lanes of each bus. This function is deliberately not inlined, and therefore not
/// compiled for AVX2. With vectors of eight numbers, the compiler would need more shuffles than
/// additions, and 24 voices took 5 % longer to render.
#[inline(never)]
fn sum(buses: &BusBlock) -> BusSums {
    let mut out = [[0.0; BLOCK]; BUSES];
    for (bus, sums) in buses.iter().zip(&mut out) {
        // The work is split into two loops, because the compiler can vectorise each of them. The
        // sum is pairwise, because a running sum would be one long dependency chain.
        let mut halves = [[0.0; LANES / 2]; BLOCK];
        for (lanes, half) in bus.iter().zip(&mut halves) {
            for l in 0..LANES / 2 {
                half[l] = lanes[l] + lanes[l + LANES / 2];
            }
        }
        for (half, sum) in halves.iter().zip(sums) {
            *sum = sanitize((half[0] + half[2]) + (half[1] + half[3]));
        }
    }
    out
}
