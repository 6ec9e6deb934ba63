//! Records of fixed size, one for each row of some columns: constant bytes with places for 64-bit words.
//!
//! That is what a repeated message of protobuf becomes when all its fields are `fixed64`, `sfixed64` or `double`: tags,
//! lengths and everything else is the same in each, and only the words differ. A [`Template`] is such a record with its
//! places empty; a kernel appends it once for each row, with the row's words filled in.
//!
//! **How.** A record is written whole, from its first byte, and the next one over what was written too much: vectors are as
//! long as they are, whatever the record's length. Behind the last record that takes up to 31 bytes more.
//!
//! | path | a record is |
//! |---|---|
//! | scalar | its constant bytes in arrays of sixteen, then each word into its place |
//! | AVX2 | its words moved to their places within a vector (`vpshufb`) and joined with the constant bytes: one store |
//! | AVX2, twenty bytes | eight records are ten vectors of sixteen bytes, so that nothing is written twice |
//!
//! SSE2 cannot move bytes by a pattern, and its path is the scalar one.
//!
//! **What is seen on the way.** proto3 leaves out a field that is zero, so whoever writes records wants to know whether a
//! word was. Looking first means to fetch the words twice from where they are, which took a quarter of the time of a million
//! points. So kernels give what they have seen of each column ([`Seen`]), and who does not like it takes the records back.
//!
//! **Around the cache** ([`Template::around_cache`]). Records of twenty bytes can be stored so that they do not pass through
//! the cache. That is faster where they are too many to be found there by who reads them next: from 16 MB on by a fifth, and
//! by a tenth if what follows, a copy or a sum of all bytes, is counted in. At 10 MB it was the same, and at 5 MB slower by
//! half (AMD EPYC (Milan) virtual machine, 2026-11-21).

use super::{Path, active};

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;

/// Bytes that a kernel writes together; all words of a record lie in the first so many.
const WINDOW: usize = 32;

/// A record with places for `N` words.
#[derive(Clone, Debug)]
pub struct Template<const N: usize> {
    /// The record, zeros where words will be, and more zeros behind it up to a whole number of windows.
    windows: Vec<[u8; WINDOW]>,
    /// The bytes of a record.
    size: usize,
    /// Where each word begins.
    places: [usize; N],
    /// Whether records are stored past the cache, where a kernel can.
    around_cache: bool,
}

/// What a kernel has seen of a column's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether one of them is zero.
    pub has_zero: bool,
    /// All bits that any of them has.
    pub any_bits: u64,
}

impl Seen {
    #[cfg(target_arch = "x86_64")]
    fn and(self, other: Self) -> Self {
        Self { has_zero: self.has_zero | other.has_zero, any_bits: self.any_bits | other.any_bits }
    }
}

impl<const N: usize> Template<N> {
    /// A template of `record`, in which the eight bytes from each of `places` on stand for a word.
    ///
    /// `None` where no kernel can write it: the places must ascend without overlap, and lie within the record and within its
    /// first 32 bytes.
    pub fn new(record: &[u8], places: [usize; N]) -> Option<Self> {
        let end = record.len().min(WINDOW);
        let free_from =
            places.iter().try_fold(0, |free_from, &place| (place >= free_from).then_some(place.checked_add(8)?));
        if record.is_empty() || free_from? > end {
            return None;
        }
        let mut windows: Vec<[u8; WINDOW]> = Vec::new();
        for part in record.chunks(WINDOW) {
            let mut window = [0; WINDOW];
            window[..part.len()].copy_from_slice(part);
            windows.push(window);
        }
        for place in places {
            windows[0][place..place + 8].fill(0);
        }
        Some(Self { windows, size: record.len(), places, around_cache: false })
    }

    /// Lets records bypass the cache, for a request that is too large to be found there by who reads it next. Heeded for
    /// records of twenty bytes that begin at an address which sixteen divides.
    #[must_use]
    pub fn around_cache(self, around_cache: bool) -> Self {
        Self { around_cache, ..self }
    }

    /// The spare capacity with which no kernel makes the vector grow, for so many records; `None` beyond `usize`.
    pub fn room(&self, records: usize) -> Option<usize> {
        self.size.checked_mul(records)?.checked_add(self.windows.len() * WINDOW - self.size)
    }
}

/// Appends a record for each row of the columns, on the given path, and gives what was seen of each column. Where columns
/// differ in length, the shortest counts.
///
/// A path that the machine lacks runs as [`Path::Scalar`], and so does one without a kernel for this.
pub fn append_with<const N: usize>(
    path: Path,
    template: &Template<N>,
    columns: [&[u64]; N],
    out: &mut Vec<u8>,
) -> [Seen; N] {
    // SAFETY: the path is one that the machine has.
    unsafe { append_on(path.or_scalar(), template, columns, out) }
}

/// [`append_with`] on the active path.
pub(crate) fn append<const N: usize>(template: &Template<N>, columns: [&[u64]; N], out: &mut Vec<u8>) -> [Seen; N] {
    // SAFETY: the active path is one that the machine has.
    unsafe { append_on(active(), template, columns, out) }
}

/// # Safety
/// The machine has `path`.
unsafe fn append_on<const N: usize>(
    path: Path,
    template: &Template<N>,
    columns: [&[u64]; N],
    out: &mut Vec<u8>,
) -> [Seen; N] {
    let rows = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    let columns = columns.map(|column| &column[..rows]);
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says that the machine has the instructions.
        Path::Avx2 => unsafe { avx2::append(template, columns, out) },
        _ => scalar::append(template, columns, out),
    }
}
