//! One metric with a data point for each row of some arrays: the writer for numbers that are in arrays anyway.
//!
//! A `NumberDataPoint` is a time, perhaps a start, a value, and attributes. Where no attribute differs from point to point, all
//! points have the same bytes but for eight or sixteen: one of them is written the ordinary way, and becomes the
//! [`Template`] of all ([`otlp_wire::simd::records`]). So attributes that are the same for all points cost their bytes, and
//! nothing else.
//!
//! proto3 leaves out a time of zero, and with it changes the length of its point. So rows are taken in blocks: one that turns
//! out to have such a time, or a number that cannot be written, is taken back and written point by point, as is everything
//! whose attributes differ. The layout of a point stands in `otlp_schema::metrics` alone; here are only columns.

use otlp_schema::common::{self, Scalar};
use otlp_schema::fields::{key_value, number_data_point as number};
use otlp_schema::metrics::{self, Kind, Number, Times};
use otlp_schema::request::RequestBuilder;
use otlp_wire::raw::MAX_LEN;
use otlp_wire::simd::records::{Seen, Template};
use otlp_wire::{Mark, PooledBytes, Text, Writer};
use std::fmt;
use std::ops::Range;

/// Rows that are written, and taken back, together.
const BLOCK: usize = 2048;

/// A tag and a word: how long each fixed field of a point is.
const FIELD_LEN: usize = 9;

/// The sign of a signed number.
const HIGHEST_BIT: u64 = 1 << 63;

/// Requests of at least so many bytes are too large to be found in the cache by who reads them next, see
/// [`Template::around_cache`].
const AROUND_CACHE: usize = 16 << 20;

/// The length of a cache line, at the beginning of which the points of large requests begin.
const CACHE_LINE: usize = 64;

/// Bytes around the points: of the last one's window, of temporality and monotonicity, of tags and lengths, of padding.
const ROOM_AROUND: usize = 96 + CACHE_LINE;

/// A metric and its data points. All columns have the same number of rows.
#[derive(Debug)]
pub struct Points<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub description: &'a str,
    /// Its unit, in the form of UCUM.
    pub unit: &'a str,
    /// Gauge or sum.
    pub data: Data,
    /// The encoded `Resource` and its schema URL.
    pub resource: (&'a [u8], &'a str),
    /// The encoded `InstrumentationScope` and its schema URL.
    pub scope: (&'a [u8], &'a str),
    /// When what a point sums up began.
    pub start_times: StartTimes<'a>,
    /// Nanoseconds since the epoch; 0 for none.
    pub times: Column<'a>,
    /// What was measured.
    pub values: Column<'a>,
    /// Encoded attributes that all points have.
    pub constant: &'a [u8],
    /// Attributes that differ.
    pub attributes: Vec<Attribute<'a>>,
}

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// `Gauge`
    Gauge,
    /// `Sum`
    Sum {
        /// `AggregationTemporality`
        temporality: i32,
        /// Whether it only ever grows.
        is_monotonic: bool,
    },
}

/// Numbers of 64 bits, one for each point.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Their bits.
    pub words: &'a [u64],
    /// What the bits mean.
    pub meaning: Meaning,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// `f64`
    Double,
    /// `i64`
    Signed,
    /// `u64`
    Unsigned,
}

/// Nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub enum StartTimes<'a> {
    /// The same for all points; 0 for none.
    Same(u64),
    /// One for each point.
    Each(Column<'a>),
}

/// An attribute that differs from point to point.
#[derive(Debug)]
pub struct Attribute<'a> {
    key: &'a str,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    /// For each point a place in a list of encoded attributes: attribute `i` is `data[starts[i]..starts[i + 1]]`.
    Coded { codes: &'a [u32], starts: Vec<usize>, data: Vec<u8> },
    /// Numbers.
    Numbers(Column<'a>),
}

/// Why points cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointsError {
    /// A column has more or fewer rows than there are values.
    Length {
        /// The name of the column.
        column: String,
        /// How many rows it has.
        rows: usize,
        /// How many values there are.
        expected: usize,
    },
    /// A number that OTLP, or a list of values, has no place for.
    OutOfRange {
        /// The name of the column.
        column: String,
        /// Where it stands there.
        row: usize,
        /// The number.
        number: i128,
        /// What it should have been.
        expected: &'static str,
    },
    /// The request could take 2 GiB or more.
    TooLong,
    /// The allocator refused.
    OutOfMemory,
}

impl fmt::Display for PointsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { column, rows, expected } => {
                write!(out, "{column} has {rows} elements, expected {expected}, one for each value")
            }
            Self::OutOfRange { column, row, number, expected } => {
                write!(out, "{column}[{row}] is {number}, expected {expected}")
            }
            Self::TooLong => out.write_str("a request cannot take 2 GiB: write fewer points at a time"),
            Self::OutOfMemory => out.write_str("out of memory"),
        }
    }
}

impl std::error::Error for PointsError {}

impl Column<'_> {
    #[inline]
    fn time(&self, name: &str, row: usize) -> Result<u64, PointsError> {
        let word = self.words[row];
        if self.meaning == Meaning::Signed && word.cast_signed() < 0 {
            let (number, expected) = (word.cast_signed().into(), "nanoseconds since 1970");
            return Err(PointsError::OutOfRange { column: name.into(), row, number, expected });
        }
        Ok(word)
    }

    #[inline]
    fn number(&self, name: impl FnOnce() -> String, row: usize) -> Result<Number, PointsError> {
        let word = self.words[row];
        match self.meaning {
            Meaning::Double => Ok(Number::Double(f64::from_bits(word))),
            Meaning::Unsigned if word.cast_signed() < 0 => {
                let expected = "less than 2**63: OTLP's integers are signed";
                Err(PointsError::OutOfRange { column: name(), row, number: word.into(), expected })
            }
            _ => Ok(Number::Int(word.cast_signed())),
        }
    }
}

impl<'a> Attribute<'a> {
    /// An attribute of the values that `codes` choose from `values`: encoded `AnyValue`s, or `None` for points that do not have
    /// the attribute.
    ///
    /// # Errors
    /// [`PointsError::OutOfMemory`]
    pub fn coded<'v>(
        key: &'a str,
        codes: &'a [u32],
        values: impl IntoIterator<Item = Option<&'v [u8]>>,
    ) -> Result<Self, PointsError> {
        let mut writer = Writer::new();
        let mut starts = vec![0];
        for value in values {
            if let Some(value) = value {
                write_attribute(&mut writer, key, value);
            }
            starts.push(writer.len());
        }
        if writer.failed() {
            return Err(PointsError::OutOfMemory);
        }
        Ok(Self { key, values: Values::Coded { codes, starts, data: writer.take() } })
    }

    /// An attribute of numbers.
    pub fn numbers(key: &'a str, numbers: Column<'a>) -> Self {
        Self { key, values: Values::Numbers(numbers) }
    }

    fn name(&self) -> String {
        format!("attributes[{:?}]", self.key)
    }

    fn rows(&self) -> usize {
        match &self.values {
            Values::Coded { codes, .. } => codes.len(),
            Values::Numbers(column) => column.words.len(),
        }
    }

    /// The most bytes that it takes in all points; exactly those it takes, where values are coded.
    fn max_len(&self) -> Result<usize, PointsError> {
        match &self.values {
            Values::Coded { codes, starts, .. } => codes
                .iter()
                .enumerate()
                .try_fold(0usize, |total, (row, &code)| Ok(total.saturating_add(self.place(starts, row, code)?.len()))),
            // Tags and lengths take at most 12 bytes in front of key and value, and an integer 10.
            Values::Numbers(column) => Ok((self.key.len() + 22).saturating_mul(column.words.len())),
        }
    }

    /// Where the encoded attribute stands that a code of `row` is of.
    #[inline]
    fn place(&self, starts: &[usize], row: usize, code: u32) -> Result<Range<usize>, PointsError> {
        match starts.get(code as usize..).and_then(|from| from.first_chunk()) {
            Some(&[start, end]) => Ok(start..end),
            None => {
                let expected = "a place in its list of values";
                Err(PointsError::OutOfRange { column: self.name(), row, number: code.into(), expected })
            }
        }
    }

    /// Writes the attribute of one point. A code is not the one that [`Self::max_len`] saw where the array has changed since.
    #[inline]
    fn write(&self, writer: &mut Writer, row: usize) -> Result<(), PointsError> {
        match &self.values {
            Values::Coded { codes, starts, data } => {
                writer.put_slice(&data[self.place(starts, row, codes[row])?]);
            }
            Values::Numbers(column) => {
                let value = match column.number(|| self.name(), row)? {
                    Number::Int(int) => Scalar::Int(int),
                    Number::Double(double) => Scalar::Double(double),
                    Number::None => Scalar::None,
                };
                common::attribute(writer, number::ATTRIBUTES, Text::Utf8(self.key.as_bytes()), value);
            }
        }
        Ok(())
    }
}

/// Writes an attribute of a point, whose value is an encoded `AnyValue`.
pub fn write_attribute(writer: &mut Writer, key: &str, value: &[u8]) {
    let mark = writer.open(number::ATTRIBUTES, 4 + key.len() + value.len());
    if !key.is_empty() {
        writer.bytes_field(key_value::KEY, key.as_bytes());
    }
    writer.bytes_field(key_value::VALUE, value);
    writer.close(mark);
}

/// Whether all times of a block are written as they are: none is 0, and none negative where they are signed.
fn are_plain_times(seen: Seen) -> bool {
    !seen.has_zero && seen.any_bits < HIGHEST_BIT
}

/// The template of all points, by how many words differ.
enum Fixed {
    TimeAndValue(Template<2>),
    StartTimeAndValue(Template<3>),
}

impl Fixed {
    fn around_cache(self, around_cache: bool) -> Self {
        match self {
            Self::TimeAndValue(template) => Self::TimeAndValue(template.around_cache(around_cache)),
            Self::StartTimeAndValue(template) => Self::StartTimeAndValue(template.around_cache(around_cache)),
        }
    }
}

impl Points<'_> {
    fn check_lengths(&self) -> Result<(), PointsError> {
        let expected = self.values.words.len();
        let check = |rows: usize, column: &dyn Fn() -> String| {
            if rows == expected { Ok(()) } else { Err(PointsError::Length { column: column(), rows, expected }) }
        };
        check(self.times.words.len(), &|| "times".into())?;
        if let StartTimes::Each(column) = self.start_times {
            check(column.words.len(), &|| "start_times".into())?;
        }
        self.attributes.iter().try_for_each(|attribute| check(attribute.rows(), &|| attribute.name()))
    }

    /// Whether all values of a block can be written as they are.
    fn are_plain_values(&self, seen: Seen) -> bool {
        self.values.meaning != Meaning::Unsigned || seen.any_bits < HIGHEST_BIT
    }

    /// Begins a point of about `guess` bytes and writes everything but the attributes that differ.
    #[inline]
    fn open_point(&self, writer: &mut Writer, guess: usize, times: Times, value: Number) -> Mark {
        let mark = metrics::open_number_point(writer, guess, times, value);
        metrics::number_point_value(writer, value);
        writer.put_slice(self.constant);
        mark
    }

    /// The length of a point without the attributes that differ, and the template of all where none does.
    fn sample(&self) -> (usize, Option<Fixed>) {
        let start_time_unix_nano = match self.start_times {
            StartTimes::Same(start) => start,
            StartTimes::Each(_) => 1,
        };
        let value = match self.values.meaning {
            Meaning::Double => Number::Double(0.0),
            Meaning::Signed | Meaning::Unsigned => Number::Int(0),
        };
        let fixed_len = if start_time_unix_nano == 0 { 2 } else { 3 } * FIELD_LEN;
        let mut writer = Writer::new();
        let times = Times { start_time_unix_nano, time_unix_nano: 1 };
        let mark = self.open_point(&mut writer, fixed_len + self.constant.len(), times, value);
        writer.close(mark);
        let record = writer.as_slice();
        if !self.attributes.is_empty() || writer.failed() {
            return (record.len(), None);
        }
        // Behind tag and length of the point stand start, time and value, each behind its tag.
        let word = |field: usize| record.len() - self.constant.len() - fixed_len + field * FIELD_LEN + 1;
        let fixed = match self.start_times {
            StartTimes::Same(0) => Template::new(record, [word(0), word(1)]).map(Fixed::TimeAndValue),
            StartTimes::Same(_) => Template::new(record, [word(1), word(2)]).map(Fixed::TimeAndValue),
            StartTimes::Each(_) => Template::new(record, [word(0), word(1), word(2)]).map(Fixed::StartTimeAndValue),
        };
        (record.len(), fixed)
    }

    fn write_block(
        &self,
        writer: &mut Writer,
        fixed: Option<&Fixed>,
        rows: Range<usize>,
        guess: usize,
    ) -> Result<(), PointsError> {
        let start = writer.len();
        let (times, values) = (&self.times.words[rows.clone()], &self.values.words[rows.clone()]);
        let is_done = match (fixed, self.start_times) {
            (Some(Fixed::TimeAndValue(template)), _) => {
                let [times, values] = writer.put_records(template, [times, values]);
                are_plain_times(times) && self.are_plain_values(values)
            }
            (Some(Fixed::StartTimeAndValue(template)), StartTimes::Each(starts)) => {
                let [starts, times, values] =
                    writer.put_records(template, [&starts.words[rows.clone()], times, values]);
                are_plain_times(starts) && are_plain_times(times) && self.are_plain_values(values)
            }
            _ => false,
        };
        if is_done {
            return Ok(());
        }
        writer.truncate(start);
        for row in rows {
            let start_time_unix_nano = match self.start_times {
                StartTimes::Same(start) => start,
                StartTimes::Each(starts) => starts.time("start_times", row)?,
            };
            let times = Times { start_time_unix_nano, time_unix_nano: self.times.time("times", row)? };
            let value = self.values.number(|| "values".into(), row)?;
            let mark = self.open_point(writer, guess, times, value);
            self.attributes.iter().try_for_each(|attribute| attribute.write(writer, row))?;
            writer.close(mark);
        }
        Ok(())
    }

    /// The points as an `ExportMetricsServiceRequest`.
    ///
    /// # Errors
    /// [`PointsError`], which names the column and the row.
    pub fn write(&self) -> Result<PooledBytes, PointsError> {
        self.check_lengths()?;
        let rows = self.values.words.len();
        let (sample_len, fixed) = self.sample();
        // Attributes that differ may make the length of a point a byte or two longer.
        let max_point_len = sample_len + if fixed.is_some() { 0 } else { 4 };
        let texts = [self.name, self.description, self.unit, self.resource.1, self.scope.1];
        let around = texts.iter().map(|text| text.len() + 8).sum::<usize>() + ROOM_AROUND;
        let points_len = self.attributes.iter().try_fold(max_point_len.saturating_mul(rows), |total, attribute| {
            Ok(total.saturating_add(attribute.max_len()?))
        })?;
        let expected = points_len.saturating_add(around + self.resource.0.len() + self.scope.0.len());
        if expected > MAX_LEN {
            return Err(PointsError::TooLong);
        }
        let fixed = fixed.map(|fixed| fixed.around_cache(points_len >= AROUND_CACHE));
        let (kind, temporality, is_monotonic) = match self.data {
            Data::Gauge => (Kind::Gauge, 0, false),
            Data::Sum { temporality, is_monotonic } => (Kind::Sum, temporality, is_monotonic),
        };

        let mut builder = RequestBuilder::new(0);
        let out_of_memory = |_| PointsError::OutOfMemory;
        let resource = builder.add_resource(self.resource.0, self.resource.1.as_bytes()).map_err(out_of_memory)?;
        let scope = builder.add_scope(resource, self.scope.0, self.scope.1.as_bytes()).map_err(out_of_memory)?;
        // All of it at once: memory that grows is copied, and is twice as much in the end.
        if !builder.writer().reserve(expected) {
            return Err(PointsError::OutOfMemory);
        }
        let begin = |builder: &mut RequestBuilder| {
            let item = builder.open_item(scope, expected);
            let writer = builder.writer();
            let [name, description, unit, ..] = texts.map(|text| Text::Utf8(text.as_bytes()));
            metrics::begin_metric(writer, name, description, unit);
            (item, (rows > 0).then(|| metrics::open_data(writer, kind, points_len)))
        };
        let (mut item, mut data) = begin(&mut builder);
        if points_len >= AROUND_CACHE {
            // Once more, such that the points begin at the beginning of a cache line.
            let points = builder.writer().as_slice().as_ptr_range().end.addr();
            builder.abandon_item(item);
            builder.set_padding(points.wrapping_neg() % CACHE_LINE);
            (item, data) = begin(&mut builder);
        }
        let writer = builder.writer();
        if let Some(data) = data {
            for start in (0..rows).step_by(BLOCK) {
                self.write_block(writer, fixed.as_ref(), start..rows.min(start + BLOCK), points_len / rows)?;
            }
            metrics::close_data(writer, data, temporality, is_monotonic);
        }
        builder.close_item(scope, item).map_err(out_of_memory)?;
        builder.finish().map_err(out_of_memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_became_another_one_is_refused_while_writing() {
        let attribute = Attribute::coded("key", &[1, 2, u32::MAX], [None, Some(&b"\x18\x05"[..])]).expect("memory");
        let mut writer = Writer::new();
        assert_eq!(attribute.write(&mut writer, 0), Ok(()));
        assert!(writer.as_slice().ends_with(b"key\x12\x02\x18\x05"));
        for (row, number) in [(1, 2), (2, u32::MAX.into())] {
            let (column, expected) = ("attributes[\"key\"]".to_owned(), "a place in its list of values");
            let refused = PointsError::OutOfRange { column, row, number, expected };
            assert_eq!(attribute.write(&mut writer, row), Err(refused));
        }
    }
}
