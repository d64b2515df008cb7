//! Trims a list to its newest items, so that no sender can fill the list alone.

use std::collections::{BTreeMap, VecDeque};

/// Removes items until `most` items are left. Each step removes the oldest item of the sender that
/// has the most items, so senders with few items keep theirs. If several senders tie, the oldest of
/// all their items is removed. `share` returns the sender of an item.
pub fn trim<T>(list: &mut VecDeque<T>, most: usize, share: impl Fn(&T) -> Option<&str>) {
    while list.len() > most {
        let mut sizes: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for item in list.iter() {
            *sizes.entry(share(item)).or_default() += 1;
        }
        let largest = sizes.values().max().copied();
        let oldest = list.iter().position(|item| sizes.get(&share(item)).copied() == largest);
        list.remove(oldest.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flooding_senders_drop_their_own_items() {
        let mut list = VecDeque::new();
        let mut push = |share: &'static str, item: u32| {
            list.push_back((share, item));
            trim(&mut list, 8, |(share, _)| Some(*share));
            list.clone()
        };
        push("a", 0);
        push("b", 1);
        let mut last = VecDeque::new();
        for item in 2..1000 {
            last = push("evil", item);
        }
        assert_eq!(last.range(..2).collect::<Vec<_>>(), [&("a", 0), &("b", 1)]);
        assert_eq!((last.len(), last.back()), (8, Some(&("evil", 999))));
        last = push("a", 1000);
        assert!(last.contains(&("a", 0)) && last.contains(&("a", 1000)) && last.contains(&("b", 1)));
    }

    #[test]
    fn a_single_share_drops_its_oldest() {
        let mut list: VecDeque<u32> = (0..10).collect();
        trim(&mut list, 4, |_| None);
        assert_eq!(list, [6, 7, 8, 9]);
    }
}
