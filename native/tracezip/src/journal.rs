//! Tables that can go back to what was committed.
//!
//! What a frame changes first is copied aside; [`Journaled::rollback`] puts the copies back, [`Journaled::commit`] forgets them.
//! Each element is copied at most once a frame, so the journal never takes more than the table.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Index;

/// How many entries a journal keeps the memory for between frames.
const KEPT: usize = 64;

/// A table of elements that are changed in place.
#[derive(Clone, Debug)]
pub(crate) struct Journaled<T> {
    elements: Vec<T>,
    /// For each element the frame that has copied it.
    copied_by: Vec<u32>,
    frame: u32,
    journal: Vec<(u32, T)>,
    /// How many elements were committed.
    committed: usize,
}

impl<T> Default for Journaled<T> {
    fn default() -> Self {
        Self { elements: Vec::new(), copied_by: Vec::new(), frame: 1, journal: Vec::new(), committed: 0 }
    }
}

impl<T> Index<usize> for Journaled<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.elements[at]
    }
}

impl<T: Clone> Journaled<T> {
    /// A table of `len` equal elements, committed.
    pub(crate) fn filled(element: T, len: usize) -> Self {
        Self { elements: vec![element; len], copied_by: vec![0; len], committed: len, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.elements.get(at)
    }

    /// The element, to be changed.
    #[inline]
    pub(crate) fn change(&mut self, at: usize) -> &mut T {
        if self.copied_by[at] != self.frame {
            self.copied_by[at] = self.frame;
            if at < self.committed {
                self.journal.push((at as u32, self.elements[at].clone()));
            }
        }
        &mut self.elements[at]
    }

    pub(crate) fn push(&mut self, element: T) {
        self.elements.push(element);
        self.copied_by.push(self.frame);
    }

    pub(crate) fn commit(&mut self) {
        self.journal.clear();
        self.journal.shrink_to(KEPT);
        self.committed = self.elements.len();
        self.begin_frame();
    }

    fn begin_frame(&mut self) {
        self.frame = self.frame.checked_add(1).unwrap_or_else(|| {
            // Numbers begin again, so what was copied under them must not count.
            self.copied_by.fill(0);
            1
        });
    }

    pub(crate) fn rollback(&mut self) {
        for (at, element) in self.journal.drain(..) {
            self.elements[at as usize] = element;
        }
        self.elements.truncate(self.committed);
        self.copied_by.truncate(self.committed);
        self.begin_frame();
    }
}

/// Where in a table something is, by its hash.
///
/// Hashes are hashed again, with a key of its own: a sender that chooses what is filed must not choose where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: HashMap<u64, u32, RandomState>,
    /// Where what was filed or removed since the last commit was before. What was nowhere and is nowhere again is left out, so
    /// the journal never takes more than two tables.
    journal: HashMap<u64, Option<u32>, RandomState>,
}

impl Places {
    pub(crate) fn get(&self, hash: u64) -> Option<usize> {
        self.places.get(&hash).map(|place| *place as usize)
    }

    pub(crate) fn set(&mut self, hash: u64, place: usize) {
        let before = self.places.insert(hash, place as u32);
        self.journal.entry(hash).or_insert(before);
    }

    /// Forgets where something is, if it is still there.
    pub(crate) fn remove(&mut self, hash: u64, place: usize) {
        if self.places.get(&hash) != Some(&(place as u32)) {
            return;
        }
        self.places.remove(&hash);
        match self.journal.entry(hash) {
            Entry::Occupied(entry) if entry.get().is_none() => drop(entry.remove()),
            entry => drop(entry.or_insert(Some(place as u32))),
        }
    }

    pub(crate) fn commit(&mut self) {
        self.journal.clear();
        self.journal.shrink_to(KEPT);
    }

    pub(crate) fn rollback(&mut self) {
        for (hash, before) in self.journal.drain() {
            match before {
                Some(place) => self.places.insert(hash, place),
                None => self.places.remove(&hash),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback_gives_back_what_was_committed() {
        let mut table = Journaled::filled(0, 2);
        *table.change(0) = 1;
        table.commit();
        *table.change(0) = 2;
        *table.change(0) = 3;
        table.push(4);
        *table.change(2) = 5;
        table.rollback();
        assert_eq!((table[0], table[1], table.len()), (1, 0, 2));
    }

    #[test]
    fn numbers_of_frames_may_begin_again() {
        let mut table = Journaled::filled(0, 1);
        table.frame = 1;
        *table.change(0) = 1;
        table.frame = u32::MAX;
        table.commit();
        assert_eq!(table.frame, 1);
        *table.change(0) = 2;
        table.rollback();
        assert_eq!(table[0], 1);
    }

    #[test]
    fn places_come_back() {
        let mut places = Places::default();
        places.set(7, 1);
        places.commit();
        places.set(7, 2);
        places.set(8, 3);
        places.remove(7, 2);
        places.rollback();
        assert_eq!((places.get(7), places.get(8)), (Some(1), None));
    }
}
