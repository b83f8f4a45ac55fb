//! A sorted map that is cheap to copy, for groups of many members.
//!
//! Every call works on its own copy of a group, and most change one member of it. Entries lie in blocks that copies
//! share; a change copies one block. What a copy and a change cost together grows with the number of blocks: for a
//! thousand entries it is about a hundredth of copying them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Entries of one block; it is split in two when there are more.
const BLOCK_ENTRIES_MAX: usize = 64;

/// Neighbours that have no more than this together become one block.
const MERGED_ENTRIES_MAX: usize = BLOCK_ENTRIES_MAX / 2;

/// Entries in the order of their keys, as a [`BTreeMap`](std::collections::BTreeMap) has them.
#[derive(Clone)]
pub(in crate::group) struct SharedMap<K, V> {
    /// None is empty, and all keys of a block are below those of the next one.
    blocks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// How many entries there are.
    pub(in crate::group) fn len(&self) -> usize {
        self.len
    }

    /// True without any.
    pub(in crate::group) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries, in order.
    pub(in crate::group) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.blocks.iter().flat_map(|block| block.iter().map(|(key, value)| (key, value)))
    }

    /// The keys, in order.
    pub(in crate::group) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub(in crate::group) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The value of a key.
    pub(in crate::group) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// True when the key has a value.
    pub(in crate::group) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).is_some()
    }

    /// The entry of a key.
    pub(in crate::group) fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.at_or_after(key).filter(|(found, _)| (*found).borrow() == key)
    }

    /// The first entry whose key is not below that one.
    pub(in crate::group) fn at_or_after<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let block = self.blocks.get(self.blocks.partition_point(|block| ends_below(block, key)))?;
        block.get(place(block, key)).map(|(key, value)| (key, value))
    }

    /// Sets the value of a key, and gives back the one before.
    pub(in crate::group) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let after = self.blocks.partition_point(|block| ends_below(block, &key));
        // A key beyond all others goes to the end of the last block.
        let at = after.min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(at).map(Arc::make_mut) else {
            self.blocks.push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return None;
        };
        let place = place(block, &key);
        match block.get_mut(place) {
            Some((known, old)) if *known == key => return Some(std::mem::replace(old, value)),
            _ => block.insert(place, (key, value)),
        }
        self.len = self.len.saturating_add(1);
        if block.len() > BLOCK_ENTRIES_MAX {
            let upper = block.split_off(block.len() / 2);
            self.blocks.insert(at.saturating_add(1), Arc::new(upper));
        }
        None
    }

    /// Takes a key's entry away, and gives back its value.
    pub(in crate::group) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.blocks.partition_point(|block| ends_below(block, key));
        let block = self.blocks.get_mut(at)?;
        let place = place(block, key);
        block.get(place).filter(|(found, _)| found.borrow() == key)?;
        let (_, value) = Arc::make_mut(block).remove(place);
        self.len = self.len.saturating_sub(1);
        if block.is_empty() {
            self.blocks.remove(at);
        } else {
            self.merge(at);
        }
        Some(value)
    }

    /// Takes a block and the next one together when both are small.
    fn merge(&mut self, at: usize) {
        let next = at.saturating_add(1);
        let (Some(block), Some(other)) = (self.blocks.get(at), self.blocks.get(next)) else { return };
        if block.len().saturating_add(other.len()) <= MERGED_ENTRIES_MAX {
            let other = self.blocks.remove(next);
            if let Some(block) = self.blocks.get_mut(at) {
                Arc::make_mut(block).extend(other.iter().cloned());
            }
        }
    }
}

/// True when all keys of the block are below that one.
fn ends_below<K: Borrow<Q>, V, Q: Ord + ?Sized>(block: &[(K, V)], key: &Q) -> bool {
    block.last().is_some_and(|(last, _)| last.borrow() < key)
}

/// Where the key is in the block, or would be.
fn place<K: Borrow<Q>, V, Q: Ord + ?Sized>(block: &[(K, V)], key: &Q) -> usize {
    block.partition_point(|(known, _)| known.borrow() < key)
}

impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Ord + Clone, V: Clone + Eq> Eq for SharedMap<K, V> {}

impl<K: Ord + Clone + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl SharedMap<u16, u32> {
        fn check(&self) {
            assert_eq!(self.len, self.blocks.iter().map(|block| block.len()).sum::<usize>());
            assert!(self.keys().is_sorted_by(|one, next| one < next));
            for block in &self.blocks {
                assert!((1..=BLOCK_ENTRIES_MAX).contains(&block.len()));
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0u16..400, any::<Option<u32>>()), 0..1500)) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            let mut copies = Vec::new();
            for (number, (key, value)) in steps.into_iter().enumerate() {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    None => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                map.check();
                let next = model.range(key..).next();
                prop_assert_eq!(map.at_or_after(&key), next);
                prop_assert_eq!(map.get(&key), model.get(&key));
                if number % 200 == 0 {
                    copies.push((map.clone(), model.clone()));
                }
            }
            copies.push((map, model));
            // Copies do not see what happened after them.
            for (map, model) in copies {
                prop_assert!(map.iter().eq(model.iter()));
                prop_assert_eq!(map.is_empty(), model.is_empty());
                prop_assert_eq!(format!("{map:?}"), format!("{model:?}"));
            }
        }
    }

    #[test]
    fn a_change_copies_one_block() {
        let mut map = SharedMap::default();
        for key in 0..1_000u16 {
            map.insert(key, 0u32);
        }
        let before = map.clone();
        map.insert(500, 1);
        let copied = map.blocks.iter().zip(&before.blocks).filter(|(one, other)| !Arc::ptr_eq(one, other));
        assert_eq!(copied.count(), 1);
        assert!(map.blocks.len() < 40 && map != before);
        for key in 20..1_000 {
            map.remove(&key);
        }
        assert_eq!((map.len(), map.blocks.len()), (20, 1));
    }
}
