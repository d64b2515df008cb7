//! Collections with one value per lane. Without added lanes, they allocate no memory.

use std::ops::{Index, IndexMut};

use super::{LaneId, PerSignal, SignalId};

/// One value for each added lane. Memory is allocated when the first value is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerAdded<T>(Vec<T>);

/// One value for each lane: first the kernel signals, then the added lanes.
///
/// A lane that was added after this collection was created has no value. [`Self::get`] returns
/// `None` for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerLane<T> {
    /// The values of the kernel signals, in catalogue order.
    pub kernel: PerSignal<T>,
    /// The values of the added lanes.
    pub added: PerAdded<T>,
}

impl<T> PerAdded<T> {
    /// The empty collection.
    pub const EMPTY: Self = Self(Vec::new());

    /// Whether the collection has no value.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of values.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of an added lane. `None` if the lane has no value, or is a kernel signal.
    pub fn get(&self, lane: LaneId) -> Option<&T> {
        self.0.get(lane.added_index()?)
    }

    /// The values in the order of their lanes.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.0.iter()
    }

    /// The values in the order of their lanes.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut T> {
        self.0.iter_mut()
    }

    /// The added lanes and their values, up to the last lane that has one.
    pub fn iter(&self) -> impl Iterator<Item = (LaneId, &T)> {
        self.0.iter().enumerate().filter_map(|(index, value)| Some((LaneId::of_added(index)?, value)))
    }

    /// Removes all values. Keeps the allocated memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Truncates to `len` values, or appends default values. `len` is limited to
    /// [`LaneId::MAX_ADDED`].
    pub fn resize(&mut self, len: usize)
    where
        T: Default,
    {
        self.0.resize_with(len.min(LaneId::MAX_ADDED), T::default);
    }

    /// Sets the value of an added lane. Earlier added lanes without a value get the default. Does
    /// nothing if `lane` is a kernel signal.
    pub fn set(&mut self, lane: LaneId, value: T)
    where
        T: Default,
    {
        let Some(index) = lane.added_index() else { return };
        if index >= self.0.len() {
            self.resize(index + 1);
        }
        self.0[index] = value;
    }

    /// Applies `f` to each value.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> PerAdded<U> {
        PerAdded(self.0.iter().map(f).collect())
    }
}

impl<T> Default for PerAdded<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Values beyond [`LaneId::MAX_ADDED`] are dropped.
impl<T> FromIterator<T> for PerAdded<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().take(LaneId::MAX_ADDED).collect())
    }
}

impl<T> PerLane<T> {
    /// Creates a collection for the kernel signals and for `added` added lanes. `f` computes the
    /// value of each lane.
    pub fn from_fn(added: usize, mut f: impl FnMut(LaneId) -> T) -> Self {
        let kernel = std::array::from_fn(|i| f(super::SIGNALS[i].id.into()));
        Self { kernel, added: (0..added).map_while(LaneId::of_added).map(f).collect() }
    }

    /// The value of a lane; `None` for an added lane without a value.
    pub fn get(&self, lane: impl Into<LaneId>) -> Option<&T> {
        let lane = lane.into();
        self.kernel.get(lane.index()).or_else(|| self.added.get(lane))
    }

    /// Sets the value of a lane. Earlier added lanes without a value get the default.
    pub fn set(&mut self, lane: impl Into<LaneId>, value: T)
    where
        T: Default,
    {
        let lane = lane.into();
        match self.kernel.get_mut(lane.index()) {
            Some(held) => *held = value,
            None => self.added.set(lane, value),
        }
    }

    /// The lanes and their values: all kernel signals, and the added lanes up to the last one with
    /// a value.
    pub fn iter(&self) -> impl Iterator<Item = (LaneId, &T)> {
        SignalId::all().map(LaneId::from).zip(&self.kernel).chain(self.added.iter())
    }

    /// The values in the order of their lanes.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.kernel.iter().chain(&self.added.0)
    }

    /// The values in the order of their lanes.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.kernel.iter_mut().chain(&mut self.added.0)
    }

    /// Applies `f` to each value.
    pub fn map<U>(&self, mut f: impl FnMut(&T) -> U) -> PerLane<U> {
        PerLane { kernel: self.kernel.each_ref().map(&mut f), added: self.added.map(f) }
    }
}

impl<T> PerLane<Option<T>> {
    /// The collection in which every lane is missing.
    pub const NONE: Self = Self { kernel: [const { None }; SignalId::COUNT], added: PerAdded::EMPTY };

    /// The value of a lane; `None` if the lane is missing.
    pub fn value(&self, lane: impl Into<LaneId>) -> Option<T>
    where
        T: Copy,
    {
        self.get(lane).copied().flatten()
    }
}

impl<T: Default> Default for PerLane<T> {
    fn default() -> Self {
        std::array::from_fn(|_| T::default()).into()
    }
}

/// A collection without added lanes.
impl<T> From<PerSignal<T>> for PerLane<T> {
    fn from(kernel: PerSignal<T>) -> Self {
        Self { kernel, added: PerAdded::EMPTY }
    }
}

impl<T> Index<SignalId> for PerLane<T> {
    type Output = T;

    fn index(&self, signal: SignalId) -> &T {
        &self.kernel[signal.index()]
    }
}

impl<T> IndexMut<SignalId> for PerLane<T> {
    fn index_mut(&mut self, signal: SignalId) -> &mut T {
        &mut self.kernel[signal.index()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn unset_lanes_have_no_value() {
        let mut values = PerLane::<Option<u8>>::NONE;
        let lane = LaneId::of_added(2).unwrap();
        assert_eq!((values.get(lane), values.added.is_empty()), (None, true));
        values.set(lane, Some(7));
        values.set(SignalId::Rx, Some(3));
        assert_eq!((values.value(lane), values[SignalId::Rx], values.added.len()), (Some(7), Some(3), 3));
        assert_eq!(values.value(LaneId::of_added(1).unwrap()), None);
        values.added.set(SignalId::Rx.into(), Some(9));
        assert_eq!(values[SignalId::Rx], Some(3), "an added value never replaces a signal's");
    }

    proptest! {
        /// Tests writes to random lanes in random order.
        #[test]
        fn each_lane_keeps_its_last_value(writes in vec((0..LaneId::MAX, any::<u16>()), 0..100)) {
            let (mut values, mut expected) = (PerLane::<Option<u16>>::NONE, [None; LaneId::MAX]);
            for (index, value) in writes {
                values.set(LaneId::new(index).unwrap(), Some(value));
                expected[index] = Some(value);
            }
            for (index, expected) in expected.iter().enumerate() {
                prop_assert_eq!(values.value(LaneId::new(index).unwrap()), *expected);
            }
            let listed: Vec<usize> = values.iter().map(|(lane, _)| lane.index()).collect();
            prop_assert_eq!(listed, (0..SignalId::COUNT + values.added.len()).collect::<Vec<_>>());
            prop_assert_eq!(values.values().count(), values.map(Option::is_some).values().count());
        }
    }
}
