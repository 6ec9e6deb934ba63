//! What is filed together: the values of one attribute, wherever it stands, and the numbers of one field.
//!
//! A family has a table of its values and trees of magnitudes. A value enters the table when it is sent in full, and leaves it
//! first in, first out, when the table or the budget of all tables is full. A family whose values do not recur gets no more of
//! them: both ends count alike, so nothing needs to be said.

use crate::coder::Bit;
use crate::journal::{Journaled, Places};
use crate::models::{Magnitudes, PlaceTree};
use std::collections::VecDeque;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// The most values of a family.
const MAX_VALUES: u64 = 1_024;
/// What a value takes beside its bytes.
const VALUE_COST: usize = 96;
/// The longest value that enters a table.
const MAX_VALUE_LEN: usize = 8_192;
/// How many templates are taken in before a family is judged by them.
const TEMPLATE_TRIAL: u32 = 64;
/// How many values are taken in before a family is judged.
const TRIAL: u32 = 256;

/// The part of a family that is small, and copied whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// How many values entered the table, and how many left it.
    pub(crate) entered: u64,
    left: u64,
    /// How many values were found in the table.
    found: u32,
    /// How many were not.
    missed: u32,
    /// The place of the latest value, and one; 0 before the first.
    pub(crate) latest: u32,
    /// How long the last text was that was not in the table.
    pub(crate) class: u8,
    /// Whether texts that are not in the table are UUIDs, and whether they have a template.
    pub(crate) forms: [Bit; 2],
    /// The place of the last template, and one.
    pub(crate) template: u32,
    /// How many templates were new, and how many were known.
    pub(crate) new_templates: u32,
    pub(crate) known_templates: u32,
}

/// A family.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) tally: Tally,
    committed: Tally,
    is_changed: bool,
    values: Journaled<Option<Arc<[u8]>>>,
    pub(crate) places: PlaceTree,
    pub(crate) magnitudes: Magnitudes,
}

impl Family {
    fn new() -> Self {
        Self {
            tally: Tally::default(),
            committed: Tally::default(),
            is_changed: true,
            values: Journaled::default(),
            places: PlaceTree::default(),
            magnitudes: Magnitudes::default(),
        }
    }

    /// The value at a place.
    pub(crate) fn value(&self, place: usize) -> Option<&Arc<[u8]>> {
        self.values.get(place)?.as_ref()
    }

    /// The value at a place and one, where 0 is none.
    #[inline]
    pub(crate) fn value_at(&self, place: u64) -> Option<&Arc<[u8]>> {
        self.value((place as usize).checked_sub(1)?)
    }

    /// How many places the table has.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether values enter the table: more than half of those that were looked for came back.
    fn admits(&self) -> bool {
        self.tally.missed < TRIAL || self.tally.found > self.tally.missed
    }

    /// Whether texts are taken apart: their templates come back.
    pub(crate) fn has_templates(&self) -> bool {
        self.tally.new_templates < TEMPLATE_TRIAL || self.tally.known_templates > self.tally.new_templates
    }

    fn commit(&mut self) {
        self.committed = self.tally;
        self.values.commit();
        self.places.commit();
        self.magnitudes.commit();
    }

    fn rollback(&mut self) {
        self.tally = self.committed;
        self.values.rollback();
        self.places.rollback();
        self.magnitudes.rollback();
    }
}

/// All families of a stream.
#[derive(Debug)]
pub(crate) struct Families {
    families: Vec<Family>,
    names: Places,
    /// Where the values are, by their hash with their family's number.
    places: Places,
    /// The order in which values entered: their families and numbers.
    queue: VecDeque<(u16, u64)>,
    /// What left the queue since the last commit, in order, and how much entered it.
    unqueued: Vec<(u16, u64)>,
    queued: usize,
    /// The most entries of the queue that are still there when it has been cleared up.
    max_queued: usize,
    cost: usize,
    committed: (usize, usize),
    budget: usize,
    max_families: usize,
    changed: Vec<u16>,
}

impl Families {
    pub(crate) fn new(budget: usize, max_families: usize) -> Self {
        let mut families = Self {
            families: Vec::new(),
            names: Places::default(),
            places: Places::default(),
            queue: VecDeque::new(),
            unqueued: Vec::new(),
            queued: 0,
            max_queued: budget / VALUE_COST,
            cost: 0,
            committed: (0, 0),
            budget,
            max_families,
            changed: Vec::new(),
        };
        // The family of all that come when there is no place for another.
        families.named(&[]);
        families
    }

    /// The number of a family, which is made if there is place for it; 0 for all others.
    pub(crate) fn named(&mut self, name: &[u8]) -> u16 {
        let hash = XxHash3_64::oneshot(name);
        if let Some(number) = self.names.get(hash) {
            return number as u16;
        }
        let number = self.families.len();
        if number >= self.max_families {
            return 0;
        }
        self.families.push(Family::new());
        self.names.set(hash, number);
        self.changed.push(number as u16);
        number as u16
    }

    /// A family.
    #[inline]
    pub(crate) fn family(&self, number: u16) -> &Family {
        &self.families[usize::from(number)]
    }

    /// A family, to be changed.
    #[inline]
    pub(crate) fn change(&mut self, number: u16) -> &mut Family {
        let family = &mut self.families[usize::from(number)];
        if !family.is_changed {
            family.is_changed = true;
            self.changed.push(number);
        }
        family
    }

    fn hash(number: u16, value: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(u64::from(number), value)
    }

    /// Where a value is in its family's table.
    pub(crate) fn find(&self, number: u16, value: &[u8]) -> Option<usize> {
        let place = self.places.get(Self::hash(number, value))?;
        let found = self.families[usize::from(number)].value(place)?;
        (**found == *value).then_some(place)
    }

    /// A value was found in the table.
    pub(crate) fn note_found(&mut self, number: u16) {
        let tally = &mut self.change(number).tally;
        tally.found = tally.found.saturating_add(1);
    }

    /// A value was sent in full: it enters the table, if the family's values recur. Its place and one; 0 without one.
    pub(crate) fn enter(&mut self, number: u16, value: &[u8]) -> u32 {
        let family = self.change(number);
        family.tally.missed = family.tally.missed.saturating_add(1);
        if !family.admits() || value.len() > MAX_VALUE_LEN {
            return 0;
        }
        while self.cost + value.len() + VALUE_COST > self.budget {
            let Some((oldest, entry)) = self.queue.pop_front() else { break };
            if self.queued > 0 && self.queue.len() < self.queued {
                self.queued -= 1;
            } else {
                self.unqueued.push((oldest, entry));
            }
            self.leave(oldest, entry);
        }
        let family = self.change(number);
        if family.tally.entered - family.tally.left >= MAX_VALUES {
            let entry = family.tally.left;
            self.leave(number, entry);
        }
        let value: Arc<[u8]> = value.into();
        let hash = Self::hash(number, &value);
        self.cost += value.len() + VALUE_COST;
        let family = self.change(number);
        let entry = family.tally.entered;
        let place = (entry % MAX_VALUES) as usize;
        family.tally.entered += 1;
        if place < family.values.len() {
            *family.values.change(place) = Some(value);
        } else {
            family.values.push(Some(value));
        }
        self.places.set(hash, place);
        self.queue.push_back((number, entry));
        self.queued += 1;
        if self.queued > 2 * self.max_queued {
            let before = self.queue.len();
            self.clear_up(before - self.queued);
            self.queued -= before - self.queue.len();
        }
        place as u32 + 1
    }

    /// A value leaves its family's table, if it is still the oldest there.
    fn leave(&mut self, number: u16, entry: u64) {
        let family = self.change(number);
        if family.tally.left != entry {
            return;
        }
        family.tally.left += 1;
        let place = (entry % MAX_VALUES) as usize;
        if let Some(value) = family.values.change(place).take() {
            self.cost -= value.len() + VALUE_COST;
            self.places.remove(Self::hash(number, &value), place);
        }
    }

    /// Takes values out of the queue, from a place in it on, that left their tables before it was their turn.
    fn clear_up(&mut self, from: usize) {
        let mut at = 0;
        self.queue.retain(|(number, entry)| {
            at += 1;
            at <= from || *entry >= self.families[usize::from(*number)].tally.left
        });
    }

    pub(crate) fn commit(&mut self) {
        for number in self.changed.drain(..) {
            let family = &mut self.families[usize::from(number)];
            family.is_changed = false;
            family.commit();
        }
        self.names.commit();
        self.places.commit();
        self.unqueued.clear();
        self.queued = 0;
        if self.queue.len() > 2 * self.max_queued {
            self.clear_up(0);
        }
        self.committed = (self.families.len(), self.cost);
    }

    pub(crate) fn rollback(&mut self) {
        let (len, cost) = self.committed;
        for number in self.changed.drain(..) {
            let family = &mut self.families[usize::from(number)];
            family.is_changed = false;
            family.rollback();
        }
        self.families.truncate(len);
        self.names.rollback();
        self.places.rollback();
        self.queue.truncate(self.queue.len() - self.queued);
        for entry in self.unqueued.drain(..).rev() {
            self.queue.push_front(entry);
        }
        self.queued = 0;
        self.cost = cost;
    }
}
