//! Shapes that were seen, each with what is known of its holes.
//!
//! A shape is referred to by its place in the table, but mostly it need not be: what followed last time follows again. Shapes
//! leave first in, first out, when the table is full or its budget spent; both ends count the same cost.

use crate::coder::{Bit, Coder};
use crate::error::{TracezipError, damaged};
use crate::families::Families;
use crate::journal::{Journaled, Places};
use crate::models::{PlaceTree, Slot};
use crate::plan::{Kind, Plan};
use crate::shape::Shape;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// What a shape takes beside its skeleton and its holes.
const SHAPE_COST: usize = 256;
/// What a hole takes.
const HOLE_COST: usize = 80;
/// How many of the shapes that followed another are remembered.
const FOLLOWERS: usize = 2;

/// Shapes that came behind another, the latest first; each is its place and one.
type Followers = [u32; FOLLOWERS];

/// A shape of the table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The shape; away while a node of it is under way.
    pub(crate) shape: Option<Arc<Shape>>,
    cost: usize,
    pub(crate) kind: Kind,
    /// The number under which the shapes within this one are known.
    pub(crate) number: u64,
    hash: u64,
    scope: u64,
    pub(crate) slots: Box<[Slot]>,
    /// The shapes that came behind this one, and those that came first in it, by its run of nodes.
    next: Followers,
    first: Followers,
    next_bits: [Bit; FOLLOWERS],
    first_bits: [Bit; FOLLOWERS],
}

fn cost(shape: &Shape) -> usize {
    2 * shape.skeleton.len() + SHAPE_COST + shape.holes.len() * HOLE_COST
}

/// What a shape comes behind, which is what it is guessed from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind {
    /// Another in the same run, at this place.
    Sibling(usize),
    /// Nothing: it is the first in the node at this place.
    Parent(usize),
    /// Nothing at all: it is the request.
    Nothing,
}

/// The part of the table that is small.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// How many shapes entered the table, and how many left it.
    entered: u64,
    left: u64,
    cost: usize,
    known: [Bit; Kind::COUNT],
}

/// The shapes of a stream.
#[derive(Debug)]
pub(crate) struct Shapes {
    entries: Journaled<Option<Entry>>,
    places: Places,
    trees: [PlaceTree; Kind::COUNT],
    counts: Counts,
    committed: Counts,
    capacity: usize,
    budget: usize,
}

/// A shape's place, or its skeleton where it has none yet.
pub(crate) enum Found {
    /// It is in the table.
    Place(usize),
    /// It has to be sent.
    New,
}

impl Shapes {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            entries: Journaled::default(),
            places: Places::default(),
            trees: Default::default(),
            counts: Counts::default(),
            committed: Counts::default(),
            // As many as there can be at the cost of the smallest.
            capacity: budget / SHAPE_COST,
            budget,
        }
    }

    /// The number under which a node's shapes are known.
    pub(crate) fn scope(&self, plan: &Plan, parent: Option<usize>) -> u64 {
        let within = if plan.is_within_parent { parent.and_then(|place| self.entry(place)) } else { None };
        within.map_or(plan.kind as u64, |entry| entry.number)
    }

    /// Where a shape is.
    pub(crate) fn find(&self, scope: u64, skeleton: &[u8]) -> Option<usize> {
        let place = self.places.get(Self::hash(scope, skeleton))?;
        let entry = self.entry(place)?;
        (entry.scope == scope && *entry.shape.as_ref()?.skeleton == *skeleton).then_some(place)
    }

    fn hash(scope: u64, skeleton: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(scope, skeleton)
    }

    /// The shapes that a node can be expected to have, with their places.
    pub(crate) fn expected(&self, kind: Kind, scope: u64, behind: Behind) -> [Option<(usize, &Shape)>; FOLLOWERS] {
        let followers = match behind {
            Behind::Sibling(place) => self.entry(place).map(|entry| entry.next),
            Behind::Parent(place) => self.entry(place).map(|entry| entry.first),
            Behind::Nothing => None,
        };
        followers.unwrap_or_default().map(|follower| {
            let place = (follower as usize).checked_sub(1)?;
            let entry = self.entry(place).filter(|entry| entry.kind == kind && entry.scope == scope)?;
            Some((place, &**entry.shape.as_ref()?))
        })
    }

    #[inline]
    pub(crate) fn entry(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)?.as_ref()
    }

    /// A shape of the table, to be changed.
    #[inline]
    pub(crate) fn change(&mut self, place: usize) -> Option<&mut Entry> {
        self.entries.change(place).as_mut()
    }

    /// Which shape a node has: one that was behind the same before, one of the table, or a new one.
    pub(crate) fn choose<C: Coder>(
        &mut self,
        coder: &mut C,
        kind: Kind,
        behind: Behind,
        place: Option<usize>,
    ) -> Found {
        let wanted = place.map_or(0, |place| place as u32 + 1);
        let place = match behind {
            Behind::Sibling(sibling) | Behind::Parent(sibling) => self.entries.change(sibling).as_mut(),
            Behind::Nothing => None,
        };
        if let Some(entry) = place {
            let (followers, bits) = match behind {
                Behind::Sibling(_) => (&mut entry.next, &mut entry.next_bits),
                _ => (&mut entry.first, &mut entry.first_bits),
            };
            for at in 0..FOLLOWERS {
                if coder.bit(&mut bits[at], followers[at] != 0 && followers[at] == wanted) {
                    let follower = followers[at];
                    followers[..=at].rotate_right(1);
                    return self.known(follower);
                }
            }
        }
        if !coder.bit(&mut self.counts.known[kind as usize], wanted != 0) {
            return Found::New;
        }
        let len = self.entries.len();
        let tree = &mut self.trees[kind as usize];
        let place = tree.place(coder, len, wanted.saturating_sub(1));
        self.follows(behind, place as usize);
        self.known(place + 1)
    }

    /// A place and one that a reader was told: a new shape where there is none.
    fn known(&self, wanted: u32) -> Found {
        match (wanted as usize).checked_sub(1).filter(|place| self.entry(*place).is_some()) {
            Some(place) => Found::Place(place),
            None => Found::New,
        }
    }

    /// Remembers what came behind what.
    fn follows(&mut self, behind: Behind, place: usize) {
        let (at, is_sibling) = match behind {
            Behind::Sibling(sibling) => (sibling, true),
            Behind::Parent(parent) => (parent, false),
            Behind::Nothing => return,
        };
        if let Some(entry) = self.entries.change(at).as_mut() {
            let followers = if is_sibling { &mut entry.next } else { &mut entry.first };
            followers.rotate_right(1);
            followers[0] = place as u32 + 1;
        }
    }

    /// A shape was sent: it enters the table. Its place.
    pub(crate) fn enter(&mut self, kind: Kind, behind: Behind, scope: u64, shape: Shape) -> usize {
        let hash = Self::hash(scope, &shape.skeleton);
        let cost = cost(&shape);
        while self.counts.left < self.counts.entered
            && (self.counts.cost + cost > self.budget || self.counts.entered - self.counts.left >= self.capacity as u64)
        {
            self.leave();
        }
        let number = self.counts.entered;
        let place = (number % self.capacity as u64) as usize;
        let slots = vec![Slot::default(); shape.holes.len()].into();
        let entry = Entry {
            shape: Some(Arc::new(shape)),
            cost,
            kind,
            number: (number << 8) | 0xff,
            hash,
            scope,
            slots,
            next: [0; FOLLOWERS],
            first: [0; FOLLOWERS],
            next_bits: Default::default(),
            first_bits: Default::default(),
        };
        self.counts.entered += 1;
        self.counts.cost += cost;
        if place < self.entries.len() {
            *self.entries.change(place) = Some(entry);
        } else {
            self.entries.push(Some(entry));
        }
        self.places.set(hash, place);
        self.follows(behind, place);
        place
    }

    /// The oldest shape leaves the table.
    fn leave(&mut self) {
        let place = (self.counts.left % self.capacity as u64) as usize;
        self.counts.left += 1;
        if let Some(entry) = self.entries.change(place).take() {
            self.counts.cost -= entry.cost;
            self.places.remove(entry.hash, place);
        }
    }

    /// Reads a skeleton, whose shape must fit the table.
    pub(crate) fn read(&self, skeleton: &[u8], plan: &Plan, families: &mut Families) -> Result<Shape, TracezipError> {
        let shape = Shape::read(skeleton, plan, |name| families.named(name))?;
        if cost(&shape) > self.budget { Err(damaged("a shape that is larger than the table", 0)) } else { Ok(shape) }
    }

    pub(crate) fn commit(&mut self) {
        self.entries.commit();
        self.places.commit();
        self.trees.iter_mut().for_each(PlaceTree::commit);
        self.committed = self.counts;
    }

    pub(crate) fn rollback(&mut self) {
        self.entries.rollback();
        self.places.rollback();
        self.trees.iter_mut().for_each(PlaceTree::rollback);
        self.counts = self.committed;
    }
}
