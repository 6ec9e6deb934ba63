//! Tables as the writer takes them: borrowed, from whoever has them, and not to be trusted.

use crate::table::{BytesColumn, Column, Dictionary, Table, TextColumn};

/// A borrowed [`Column`]. Nothing in it is checked before [`super::write`] does.
#[derive(Clone, Copy, Debug)]
pub enum ColumnRef<'a> {
    /// See [`Column::U8`].
    U8(&'a [u8]),
    /// See [`Column::I32`].
    I32(&'a [i32]),
    /// See [`Column::U32`].
    U32(&'a [u32]),
    /// See [`Column::I64`].
    I64(&'a [i64]),
    /// See [`Column::U64`].
    U64(&'a [u64]),
    /// See [`Column::F64`].
    F64(&'a [f64]),
    /// See [`Column::SpanIds`].
    SpanIds(&'a [[u8; 8]]),
    /// See [`Column::TraceIds`].
    TraceIds(&'a [[u8; 16]]),
    /// See [`Column::Text`].
    Text(TextRef<'a>),
    /// See [`Column::Bytes`].
    Bytes(BytesRef<'a>),
    /// See [`Column::Offsets`].
    Offsets(&'a [u32]),
}

/// A borrowed [`TextColumn`]. The dictionary may hold more than the codes name, and its strings any of them twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextRef<'a> {
    /// For each row a place in the dictionary.
    pub codes: &'a [u32],
    /// The dictionary.
    pub dictionary: BytesRef<'a>,
}

/// A borrowed [`BytesColumn`] or [`Dictionary`]: string `i` is `data[offsets[i]..offsets[i + 1]]`. There may be bytes in front of
/// the first string and behind the last one.
#[derive(Clone, Copy, Debug, Default)]
pub struct BytesRef<'a> {
    /// Where each begins, and where the last one ends.
    pub offsets: &'a [u32],
    /// Their bytes.
    pub data: &'a [u8],
}

impl<'a> BytesRef<'a> {
    /// String `index`, or an empty one.
    #[inline(always)]
    pub(super) fn get(self, index: usize) -> &'a [u8] {
        match self.offsets.get(index..) {
            Some(&[start, end, ..]) => self.data.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The number of strings.
    pub(super) fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }
}

/// A borrowed [`Table`].
#[derive(Clone, Debug, Default)]
pub struct TableRef<'a> {
    /// The number of rows.
    pub rows: usize,
    /// The columns by their names, in any order. One that is missing is zero, or empty, in every row.
    pub columns: Vec<(&'a str, ColumnRef<'a>)>,
}

impl<'a> From<&'a Table> for TableRef<'a> {
    fn from(table: &'a Table) -> Self {
        Self { rows: table.rows, columns: table.columns.iter().map(|(name, column)| (*name, column.into())).collect() }
    }
}

impl<'a> From<&'a Column> for ColumnRef<'a> {
    fn from(column: &'a Column) -> Self {
        match column {
            Column::U8(values) => Self::U8(values),
            Column::I32(values) => Self::I32(values),
            Column::U32(values) => Self::U32(values),
            Column::I64(values) => Self::I64(values),
            Column::U64(values) => Self::U64(values),
            Column::F64(values) => Self::F64(values),
            Column::SpanIds(values) => Self::SpanIds(values),
            Column::TraceIds(values) => Self::TraceIds(values),
            Column::Text(TextColumn { codes, dictionary: Dictionary { offsets, data } }) => {
                Self::Text(TextRef { codes, dictionary: BytesRef { offsets, data: data.as_bytes() } })
            }
            Column::Bytes(BytesColumn { offsets, data }) => Self::Bytes(BytesRef { offsets, data }),
            Column::Offsets(offsets) => Self::Offsets(offsets),
        }
    }
}

impl ColumnRef<'_> {
    /// The number of rows that it has values for.
    pub fn rows(self) -> usize {
        match self {
            Self::Bytes(_) | Self::Offsets(_) => self.len().saturating_sub(1),
            _ => self.len(),
        }
    }

    /// The number of values: of offsets there is one more than rows.
    pub(super) fn len(self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::U32(values) | Self::Offsets(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::SpanIds(values) => values.len(),
            Self::TraceIds(values) => values.len(),
            Self::Text(text) => text.codes.len(),
            Self::Bytes(bytes) => bytes.offsets.len(),
        }
    }
}

/// The values of a column that is there, checked, or none: then each is zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a, T>(pub(super) &'a [T]);

impl<T: Copy + Default> Values<'_, T> {
    /// The value of a row.
    #[inline(always)]
    pub(super) fn get(self, row: usize) -> T {
        self.0.get(row).copied().unwrap_or_default()
    }
}

/// What a column may be an array of: numbers and ids.
pub trait Element: Copy + Default {
    /// The values of a column, if it is an array of this type. Offsets are no numbers.
    fn of(column: ColumnRef<'_>) -> Option<&[Self]>;
}

macro_rules! elements {
    ($($element:ty: $variant:ident;)+) => { $(
        impl Element for $element {
            fn of(column: ColumnRef<'_>) -> Option<&[Self]> {
                match column {
                    ColumnRef::$variant(values) => Some(values),
                    _ => None,
                }
            }
        }
    )+ };
}

elements! {
    u8: U8;
    i32: I32;
    u32: U32;
    i64: I64;
    u64: U64;
    f64: F64;
    [u8; 8]: SpanIds;
    [u8; 16]: TraceIds;
}
