//! What spans are grouped by.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A value of a key. Values of different types are different values: `1` is not `"1"`.
///
/// Their order is that of their types, as `AnyValue` numbers them, and then that of the values: text by its code
/// points, doubles by `f64::total_cmp`, so that each `NaN` is equal to itself.
#[derive(Clone, Debug)]
pub enum Key<'a> {
    /// The span has no such attribute, or one without a value.
    Absent,
    /// A string.
    Text(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
    /// An integer, also `kind` and `status_code`.
    Int(i64),
    /// A double.
    Double(f64),
    /// What has no order of its own: the number of its field in `AnyValue` (array, list of pairs, bytes) and its bytes,
    /// encoded.
    Encoded(u8, Cow<'a, [u8]>),
}

impl Key<'_> {
    /// The same value, which borrows nothing.
    pub fn into_owned(self) -> Key<'static> {
        match self {
            Self::Absent => Key::Absent,
            Self::Text(text) => Key::Text(Cow::Owned(text.into_owned())),
            Self::Bool(flag) => Key::Bool(flag),
            Self::Int(int) => Key::Int(int),
            Self::Double(double) => Key::Double(double),
            Self::Encoded(kind, bytes) => Key::Encoded(kind, Cow::Owned(bytes.into_owned())),
        }
    }

    /// The same value, borrowed.
    pub(super) fn borrow(&self) -> Key<'_> {
        match self {
            Self::Text(text) => Key::Text(Cow::Borrowed(text)),
            Self::Encoded(kind, bytes) => Key::Encoded(*kind, Cow::Borrowed(bytes)),
            Self::Absent => Key::Absent,
            Self::Bool(flag) => Key::Bool(*flag),
            Self::Int(int) => Key::Int(*int),
            Self::Double(double) => Key::Double(*double),
        }
    }

    /// What the order goes by: the type, then a number or bytes.
    fn order(&self) -> (u8, i64, &[u8]) {
        match self {
            Self::Absent => (0, 0, &[]),
            Self::Text(text) => (1, 0, text.as_bytes()),
            Self::Bool(flag) => (2, i64::from(*flag), &[]),
            Self::Int(int) => (3, *int, &[]),
            Self::Double(double) => {
                // The bits of negative doubles count downwards.
                let bits = double.to_bits() as i64;
                (4, bits ^ ((bits >> 63) as u64 >> 1) as i64, &[])
            }
            Self::Encoded(kind, bytes) => (*kind, 0, bytes),
        }
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Key<'_> {}

/// A key of all spans: for each a place in a list of values.
#[derive(Clone, Debug)]
pub struct KeyColumn<'a> {
    /// Its name, as users give it.
    pub name: String,
    /// The places.
    pub codes: Codes<'a>,
    /// The values, none twice.
    pub values: Vec<Key<'a>>,
}

/// Places in a list of values.
#[derive(Clone, Debug)]
pub enum Codes<'a> {
    /// One for each span.
    BySpan(Cow<'a, [u32]>),
    /// One for each scope: what spans have from their scope or resource.
    ByScope(Vec<u32>),
}

/// A key of groups: for each group a place in a sorted list of values, all of which are in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupKey {
    /// Its name, as users give it.
    pub name: String,
    /// The place of each group's value.
    pub codes: Vec<u32>,
    /// The values in ascending order.
    pub values: Vec<Key<'static>>,
}

/// Puts groups into the order of their keys.
///
/// Takes for each key its name, the place of each group's value, and the values, among which may be equal ones and such
/// that no group has. Gives the keys in their order, and which group came to stand where. Groups with equal keys stand
/// side by side.
pub(super) fn sort(keys: Vec<(String, Vec<u32>, Vec<Key<'_>>)>, groups: usize) -> (Vec<GroupKey>, Vec<u32>) {
    let mut keys: Vec<GroupKey> = keys.into_iter().map(|(name, codes, values)| rank(name, codes, values)).collect();
    let mut order: Vec<u32> = (0..groups as u32).collect();
    order.sort_unstable_by(|&left, &right| {
        let by_key = keys.iter().map(|key| key.codes[left as usize].cmp(&key.codes[right as usize]));
        by_key.fold(Ordering::Equal, Ordering::then)
    });
    for key in &mut keys {
        key.codes = order.iter().map(|&group| key.codes[group as usize]).collect();
    }
    (keys, order)
}

/// Sorts the values that are in use.
fn rank(name: String, mut codes: Vec<u32>, mut all: Vec<Key<'_>>) -> GroupKey {
    const UNUSED: u32 = u32::MAX;
    let mut ranks = vec![UNUSED; all.len()];
    for &code in &codes {
        ranks[code as usize] = 0;
    }
    let mut used: Vec<u32> = (0..all.len() as u32).filter(|&code| ranks[code as usize] != UNUSED).collect();
    used.sort_unstable_by(|&left, &right| all[left as usize].cmp(&all[right as usize]));
    let mut values: Vec<Key<'static>> = Vec::with_capacity(used.len());
    for code in used {
        let value = std::mem::replace(&mut all[code as usize], Key::Absent);
        if values.last() != Some(&value) {
            values.push(value.into_owned());
        }
        ranks[code as usize] = values.len() as u32 - 1;
    }
    for code in &mut codes {
        *code = ranks[*code as usize];
    }
    GroupKey { name, codes, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_ordered_by_type_and_value() {
        let ascending = [
            Key::Absent,
            Key::Text("".into()),
            Key::Text("1".into()),
            Key::Text("é".into()),
            Key::Bool(false),
            Key::Bool(true),
            Key::Int(i64::MIN),
            Key::Int(1),
            Key::Double(f64::NEG_INFINITY),
            Key::Double(-0.0),
            Key::Double(0.0),
            Key::Double(1.0),
            Key::Double(f64::NAN),
            Key::Encoded(5, b"x".into()),
            Key::Encoded(7, b"".into()),
        ];
        for (place, value) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(value.cmp(right), place.cmp(&other), "{value:?} and {right:?}");
                assert_eq!(value == right, place == other);
            }
        }
    }

    #[test]
    fn groups_are_sorted_and_equal_keys_stand_side_by_side() {
        let names = ["b", "unused", "a", "b"].map(|name| Key::Text(name.into())).to_vec();
        let kinds = [2, 1].map(Key::Int).to_vec();
        let (keys, order) =
            sort(vec![(String::new(), vec![0, 2, 3, 0], names), (String::new(), vec![0, 1, 0, 1], kinds)], 4);
        assert_eq!(keys[0].values, [Key::Text("a".into()), Key::Text("b".into())]);
        assert_eq!(keys[1].values, [Key::Int(1), Key::Int(2)]);
        assert_eq!(keys[0].codes, [0, 1, 1, 1]);
        assert_eq!(keys[1].codes, [0, 0, 1, 1]);
        assert_eq!(order[..2], [1, 3]);
        assert_eq!(order[2] + order[3], 2, "0 and 2 have equal keys");
    }
}
