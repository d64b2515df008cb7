//! Computes totals that never fall, even if devices and sources appear, disappear or restart.

use std::collections::BTreeMap;

/// Sums the increases of the counts of several devices. `K` identifies a device, and each device
/// has `N` counts.
///
/// A device's first reading adds nothing, because khor does not know when its counts started. The
/// first reading after an absence adds nothing either. If any count of a device has fallen, the
/// device was replaced or its counts restarted, so this reading also adds nothing. Each total
/// therefore includes only increases of devices that were read twice in a row.
#[derive(Clone, Debug)]
pub struct Accumulator<K, const N: usize> {
    last: BTreeMap<K, [u64; N]>,
    totals: [u64; N],
}

impl<K, const N: usize> Default for Accumulator<K, N> {
    fn default() -> Self {
        Self { last: BTreeMap::new(), totals: [0; N] }
    }
}

impl<K: Ord, const N: usize> Accumulator<K, N> {
    /// Adds one reading of all present devices, and returns the totals. If a device is listed
    /// twice, the first entry counts.
    pub fn take(&mut self, devices: impl IntoIterator<Item = (K, [u64; N])>) -> [u64; N] {
        let before = std::mem::take(&mut self.last);
        for (device, now) in devices {
            if self.last.contains_key(&device) {
                continue;
            }
            let rises = before.get(&device).and_then(|last| rises(last, &now)).unwrap_or([0; N]);
            for (total, rise) in self.totals.iter_mut().zip(rises) {
                *total = total.saturating_add(rise);
            }
            self.last.insert(device, now);
        }
        self.totals
    }

    /// The current totals, one for each count.
    pub fn totals(&self) -> [u64; N] {
        self.totals
    }

    /// Keeps the totals and treats all devices as new. Call this when the source changes.
    pub fn forget_devices(&mut self) {
        self.last.clear();
    }
}

/// Computes the increase of each count. Returns `None` if any count fell.
fn rises<const N: usize>(last: &[u64; N], now: &[u64; N]) -> Option<[u64; N]> {
    let mut rises = [0; N];
    for ((rise, last), now) in rises.iter_mut().zip(last).zip(now) {
        *rise = now.checked_sub(*last)?;
    }
    Some(rises)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn the_first_reading_adds_nothing() {
        let mut total = Accumulator::default();
        assert_eq!(total.take([("eth0", [500_000_000_000]), ("lo", [7])]), [0]);
        assert_eq!(total.take([("eth0", [500_000_000_010]), ("lo", [8])]), [11]);
        assert_eq!(total.totals(), [11]);
    }

    /// Other monitors have a known bug: when an interface reappears with a count of 500 GB, their
    /// total rises by 500 GB.
    #[test]
    fn a_returning_device_counts_as_new() {
        let mut total = Accumulator::default();
        total.take([("eth0", [100]), ("veth1", [500_000_000_000])]);
        assert_eq!(total.take([("eth0", [101])]), [1], "the total keeps the bytes of a missing device");
        assert_eq!(total.take([("eth0", [102]), ("veth1", [500_000_000_000])]), [2]);
        assert_eq!(total.take([("eth0", [103]), ("veth1", [500_000_000_005])]), [8]);
    }

    #[test]
    fn a_restarted_counter_continues_the_total() {
        let mut total = Accumulator::default();
        total.take([("eth0", [1_000, 1_000])]);
        assert_eq!(total.take([("eth0", [1_500, 1_000])]), [500, 0]);
        assert_eq!(total.take([("eth0", [3, 9_000])]), [500, 0], "one count fell, so the device is new");
        assert_eq!(total.take([("eth0", [13, 9_001])]), [510, 1]);
    }

    #[test]
    fn a_new_source_continues_the_total() {
        let mut total = Accumulator::default();
        total.take([((), [10])]);
        total.take([((), [30])]);
        total.forget_devices();
        assert_eq!(total.take([((), [9_000_000])]), [20]);
        assert_eq!(total.take([((), [9_000_001])]), [21]);
    }

    #[test]
    fn a_device_listed_twice_counts_once() {
        let mut total = Accumulator::default();
        total.take([("sda", [1]), ("sda", [100])]);
        assert_eq!(total.take([("sda", [2]), ("sda", [200])]), [1]);
    }

    /// Random readings of up to four devices with two counts each. Each reading has a flag, which
    /// is true if the source changes before the reading.
    fn readings() -> impl Strategy<Value = Vec<(bool, BTreeMap<u8, [u64; 2]>)>> {
        let count = prop_oneof![0..100_u64, any::<u64>()];
        let devices = proptest::collection::btree_map(0..4_u8, [count.clone(), count], 0..4);
        vec((any::<bool>(), devices), 1..40)
    }

    proptest! {
        /// Tests random sequences of readings, including changes of the source.
        #[test]
        fn totals_grow_only_by_device_increases(readings in readings()) {
            let mut total = Accumulator::default();
            let (mut before, mut last) = ([0; 2], BTreeMap::<u8, [u64; 2]>::new());
            for (changes_source, now) in readings {
                if changes_source {
                    total.forget_devices();
                    last.clear();
                }
                let after = total.take(now.clone());
                for i in 0..2 {
                    let rise = |(device, counts): (&u8, &[u64; 2])| {
                        let last = last.get(device)?;
                        Some(u128::from(counts[i].saturating_sub(last[i])))
                    };
                    let most: u128 = now.iter().filter_map(rise).sum();
                    prop_assert!(after[i] >= before[i], "{} after {}", after[i], before[i]);
                    prop_assert!(u128::from(after[i] - before[i]) <= most);
                }
                (before, last) = (after, now);
            }
        }

        /// Tests random counts. The devices are present in all readings.
        #[test]
        fn every_increase_is_counted(start in any::<[u32; 3]>(), rises in vec(any::<[u32; 3]>(), 1..40)) {
            let mut total = Accumulator::default();
            let mut counts = start.map(u64::from);
            let listed = |counts: [u64; 3]| counts.into_iter().enumerate().map(|(i, count)| (i, [count]));
            total.take(listed(counts));
            let mut expected = 0;
            for rise in rises {
                for (count, rise) in counts.iter_mut().zip(rise) {
                    *count += u64::from(rise);
                    expected += u64::from(rise);
                }
                prop_assert_eq!(total.take(listed(counts)), [expected]);
            }
        }
    }
}
