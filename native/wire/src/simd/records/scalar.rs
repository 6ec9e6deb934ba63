//! Records without vector instructions of our own: arrays and words of fixed size, stored where they belong.
//!
//! Nothing has a length that is only known at run time, so there is no call of `memcpy`: the constant bytes in front of the
//! last word take one or two arrays of sixteen, whatever they are, and what stands behind it is whole windows.

use super::super::sink::Sink;
use super::{Seen, Template, WINDOW};

/// Appends a record for each row. The columns are equally long.
pub(super) fn append<const N: usize>(template: &Template<N>, columns: [&[u64]; N], out: &mut Vec<u8>) -> [Seen; N] {
    // Constant bytes behind the last word, if any, or only those in front of it.
    let last = template.places.last().map_or(0, |place| place + 8);
    let constant = if last == template.size { last.saturating_sub(8) } else { template.size };
    match constant {
        0..=16 => append_arrays::<N, 1, false>(template, columns, out),
        17..=WINDOW => append_arrays::<N, 2, false>(template, columns, out),
        _ => append_arrays::<N, 2, true>(template, columns, out),
    }
}

/// Appends records whose first window is written as `ARRAYS` arrays of sixteen bytes, and whose other windows are written
/// too if they are `LONG`.
#[inline]
fn append_arrays<const N: usize, const ARRAYS: usize, const LONG: bool>(
    template: &Template<N>,
    columns: [&[u64]; N],
    out: &mut Vec<u8>,
) -> [Seen; N] {
    let mut seen = [Seen::default(); N];
    let Some((first, others)) = template.windows.split_first() else { return seen };
    let rows = columns.first().map_or(0, |column| column.len());
    let columns = columns.map(|column| &column[..rows]);
    let arrays = &first.as_chunks::<16>().0[..ARRAYS];
    let mut sink = Sink::with_room(out, template.room(rows).unwrap_or(usize::MAX));
    for row in 0..rows {
        // SAFETY: the room holds every record, and behind the last one what its windows take beyond it. Words lie within the
        // first window. `keep` steps over bytes that the arrays, windows and words have covered.
        unsafe {
            for (index, array) in arrays.iter().enumerate() {
                sink.put_at(index * 16, *array);
            }
            for ((column, place), seen) in columns.iter().zip(template.places).zip(&mut seen) {
                let word = column[row];
                seen.any_bits |= word;
                seen.has_zero |= word == 0;
                sink.put_at(place, word);
            }
            if LONG {
                for (index, window) in others.iter().enumerate() {
                    sink.put_at((index + 1) * WINDOW, *window);
                }
            }
            sink.keep(template.size);
        }
    }
    sink.finish();
    seen
}
