//! Tables: named columns of equal length, in memory that NumPy and Arrow read as it is.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::BuildHasher;

/// A column: one value for each row, but for [`Column::Offsets`], which has one more.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Truth values, enums that are ours, bit sets.
    U8(Vec<u8>),
    /// Enums of OTLP.
    I32(Vec<i32>),
    /// Counts, flags, and the numbers of rows in other tables.
    U32(Vec<u32>),
    /// Signed integers.
    I64(Vec<i64>),
    /// Times in nanoseconds since the Unix epoch, and counts.
    U64(Vec<u64>),
    /// Doubles.
    F64(Vec<f64>),
    /// Span ids; all zeros where there is none.
    SpanIds(Vec<[u8; 8]>),
    /// Trace ids; all zeros where there is none.
    TraceIds(Vec<[u8; 16]>),
    /// Strings, by their place in a dictionary.
    Text(TextColumn),
    /// Byte strings, one behind the other.
    Bytes(BytesColumn),
    /// Row numbers of another table: its rows `offsets[i]..offsets[i + 1]` belong to row `i`. The first is 0.
    Offsets(Vec<u32>),
}

/// Strings, by their place in a dictionary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextColumn {
    /// For each row a place in the dictionary.
    pub codes: Vec<u32>,
    /// The distinct strings, in the order of their first row. Code 0 is always the empty string.
    pub dictionary: Dictionary,
}

/// Byte strings, one behind the other: string `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BytesColumn {
    /// Where each begins, and where the last one ends.
    pub offsets: Vec<u32>,
    /// Their bytes.
    pub data: Vec<u8>,
}

/// Distinct strings, in the layout of Arrow's `utf8`: string `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dictionary {
    /// Where each begins, and where the last one ends. None is past `i32::MAX`.
    pub offsets: Vec<u32>,
    /// Their bytes, valid UTF-8.
    pub data: String,
}

impl Default for BytesColumn {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }
}

impl BytesColumn {
    /// Adds a row.
    pub fn push(&mut self, content: &[u8]) {
        self.data.extend_from_slice(content);
        self.offsets.push(self.data.len() as u32);
    }

    /// Adds empty rows until there are `rows`.
    pub fn pad(&mut self, rows: usize) {
        self.offsets.resize(rows + 1, self.data.len() as u32);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.offsets.len() == 1
    }

    /// Row `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = (*self.offsets.get(index)?, *self.offsets.get(index + 1)?);
        self.data.get(start as usize..end as usize)
    }
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { offsets: vec![0], data: String::new() }
    }
}

impl Dictionary {
    /// The number of strings.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// String `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let (start, end) = (*self.offsets.get(index)?, *self.offsets.get(index + 1)?);
        self.data.get(start as usize..end as usize)
    }

    /// The strings in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.offsets.windows(2).map(|pair| &self.data[pair[0] as usize..pair[1] as usize])
    }
}

/// Gives each distinct string of a request a number, in the order in which they turn up; 0 is the empty string.
///
/// The strings stay where they are until the end: nothing is copied for a string that was seen before. Nearly every string is
/// one that was seen shortly before: for these there are [`SLOTS`] places, chosen by a few of their bytes, and one comparison.
/// Behind them is a hash table, whose hash is seeded anew for each process, so that nobody can make strings that collide.
#[derive(Debug)]
pub struct Interner<'a> {
    table: HashTable<u32>,
    texts: Vec<&'a str>,
    hasher: RandomState,
    /// The numbers of strings seen shortly before; none until there is a string.
    recent: Vec<u32>,
}

/// How many strings are found without the hash table, at best.
const SLOTS: usize = 256;

/// The slot of a string: its length and its first and last bytes tell apart nearly all that a request has, in fewer
/// steps than a hash of them all.
#[inline(always)]
fn slot_of(text: &str) -> usize {
    let text = text.as_bytes();
    let ends = match (text.first_chunk(), text.last_chunk(), text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last), ..) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        (.., Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => text.iter().fold(0, |ends, &byte| ends << 8 | u64::from(byte)),
    };
    // A multiplication carries every bit into the highest byte, which has as many values as there are slots.
    (ends.wrapping_add(text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

/// Whether two strings are equal. Most strings are so short that two overlapping pieces are all of them, and these are compared
/// where the general comparison has not yet begun.
#[inline(always)]
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk::<8>() && one.last_chunk::<8>() == other.last_chunk::<8>()
        }
        17..=32 => {
            one.first_chunk::<16>() == other.first_chunk::<16>() && one.last_chunk::<16>() == other.last_chunk::<16>()
        }
        0..=7 => one.iter().eq(other),
        _ => one == other,
    }
}

impl Default for Interner<'_> {
    fn default() -> Self {
        Self { table: HashTable::new(), texts: vec![""], hasher: RandomState::default(), recent: Vec::new() }
    }
}

impl<'a> Interner<'a> {
    /// The number of a string.
    #[inline(always)]
    pub fn code(&mut self, text: &'a str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let slot = slot_of(text);
        if let Some(&recent) = self.recent.get(slot)
            && is_same(self.texts[recent as usize], text)
        {
            return recent;
        }
        self.look_up(text, slot)
    }

    #[inline(never)]
    fn look_up(&mut self, text: &'a str, slot: usize) -> u32 {
        let (texts, hasher) = (&mut self.texts, &self.hasher);
        let hash = hasher.hash_one(text);
        let next = texts.len() as u32;
        let rehash = |&code: &u32| hasher.hash_one(texts[code as usize]);
        let code = match self.table.entry(hash, |&code| texts[code as usize] == text, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                free.insert(next);
                texts.push(text);
                next
            }
        };
        self.recent.resize(SLOTS, 0);
        self.recent[slot] = code;
        code
    }

    /// The strings by their numbers.
    pub fn into_dictionary(self) -> Dictionary {
        let length = self.texts.iter().map(|text| text.len()).sum();
        let offsets = Vec::with_capacity(self.texts.len() + 1);
        let mut dictionary = Dictionary { offsets, data: String::with_capacity(length) };
        dictionary.offsets.push(0);
        for text in self.texts {
            dictionary.data.push_str(text);
            dictionary.offsets.push(dictionary.data.len() as u32);
        }
        dictionary
    }
}

/// A text column under construction.
#[derive(Debug, Default)]
pub struct TextBuilder<'a> {
    codes: Vec<u32>,
    interner: Interner<'a>,
}

impl<'a> TextBuilder<'a> {
    /// A column without rows, but with room for so many.
    pub fn with_capacity(rows: usize) -> Self {
        Self { codes: Vec::with_capacity(rows), interner: Interner::default() }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: &'a str) {
        self.codes.push(self.interner.code(text));
    }

    /// Adds rows of the empty string until there are `rows`.
    #[inline]
    pub fn pad(&mut self, rows: usize) {
        self.codes.resize(rows, 0);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The column of the rows so far.
    pub fn finish(self) -> TextColumn {
        TextColumn { codes: self.codes, dictionary: self.interner.into_dictionary() }
    }
}

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The number of rows.
    pub rows: usize,
    /// The columns by their names, in an order that is always the same.
    pub columns: Vec<(&'static str, Column)>,
}

impl Table {
    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_numbered_as_they_turn_up() {
        let mut interner = Interner::default();
        let codes = ["b", "a", "a", "", "b", "c", "a"].map(|text| interner.code(text));
        assert_eq!(codes, [1, 2, 2, 0, 1, 3, 2]);
        let dictionary = interner.into_dictionary();
        assert_eq!(dictionary.iter().collect::<Vec<_>>(), ["", "b", "a", "c"]);
        assert_eq!((dictionary.len(), dictionary.get(3), dictionary.get(4)), (4, Some("c"), None));
    }

    #[test]
    fn many_strings_keep_their_numbers() {
        let texts: Vec<String> = (0..10_000).map(|number| format!("text {}", number % 3_000)).collect();
        let mut interner = Interner::default();
        let codes: Vec<u32> = texts.iter().map(|text| interner.code(text)).collect();
        let dictionary = interner.into_dictionary();
        assert_eq!(dictionary.len(), 3_001);
        assert!(codes.iter().zip(&texts).all(|(&code, text)| dictionary.get(code as usize) == Some(text)));
    }

    #[test]
    fn every_byte_of_every_length_is_compared() {
        for length in 0..70 {
            let text = "a".repeat(length);
            assert!(is_same(&text, &text.clone()), "{length}");
            assert!(!is_same(&text, &format!("{text}a")), "{length}");
            for place in 0..length {
                let other = "a".repeat(place) + "b" + &"a".repeat(length - place - 1);
                assert!(!is_same(&text, &other), "{length} {place}");
            }
        }
    }
}
