//! Contexts that are used again: making one costs as much as compressing a small request.
//!
//! A few slots, each with its lock, which is held while the context is in use. Nobody ever waits: a slot whose lock is
//! taken is passed over, and when all are, a context is made for this call alone. So a child of a fork, in which another
//! thread's lock stays taken for ever, loses that slot and nothing else; and a slot that was poisoned by a panic, with its
//! context in who knows what state, is not used again either.

use std::sync::Mutex;

/// How many contexts of a kind are kept. More threads than this compress at the same time only on large machines, and
/// they do without.
const SLOTS: usize = 4;

/// Contexts of one kind.
pub(crate) struct Slots<T> {
    slots: [Mutex<Option<T>>; SLOTS],
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: [const { Mutex::new(None) }; SLOTS] }
    }

    /// Lends a context to `work`, whose state is whatever its last user left.
    pub(crate) fn with<E, R>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        work: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        for slot in &self.slots {
            if let Ok(mut kept) = slot.try_lock() {
                return match &mut *kept {
                    Some(context) => work(context),
                    empty => work(empty.insert(make()?)),
                };
            }
        }
        work(&mut make()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn context_is_used_again_and_a_taken_one_is_passed_over() {
        let slots: Slots<Vec<u8>> = Slots::new();
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            Ok::<_, ()>(Vec::new())
        };
        for expected in 1..=3 {
            let length = slots.with(make, |context| {
                context.push(0);
                Ok(context.len())
            });
            assert_eq!((length, made.get()), (Ok(expected), 1));
        }
        let _taken: Vec<_> = slots.slots.iter().map(Mutex::lock).collect();
        assert_eq!(slots.with(make, |context| Ok(context.len())), Ok(0));
        assert_eq!(made.get(), 2);
    }

    #[test]
    fn context_that_panicked_is_not_used_again() {
        let slots: Slots<u8> = Slots::new();
        let broken =
            std::panic::catch_unwind(|| slots.with(|| Ok::<_, ()>(0), |_| -> Result<(), ()> { panic!("test") }));
        assert!(broken.is_err());
        assert_eq!(slots.with(|| Ok::<_, ()>(1), |context| Ok(*context)), Ok(1));
    }
}
