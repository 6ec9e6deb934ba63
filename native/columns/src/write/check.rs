//! Tables that were checked: what is written from them is a request, and reading them cannot fail.
//!
//! The checks are short loops over whole columns, ahead of all writing, so that those of the writer are left without errors. Only
//! columns of numbers that stand for something else are looked at (codes, offsets, row numbers, types), and the strings of
//! dictionaries, each once. Which column refers to which table is in the [contract](crate::contract).

use super::column::{BytesRef, ColumnRef, Element, TableRef, TextRef, Values};
use super::error::{Problem, WriteError};
use crate::contract::{self, ColumnType, TableType};
use crate::values::ABSENT;
use otlp_schema::common::MAX_MESSAGE_DEPTH;
use otlp_schema::fields::any_value;
use otlp_schema::signal::Signal;
use otlp_schema::view::messages::{ArrayValue, KeyValueList};
use otlp_wire::ReadError;
use std::ops::Range;

/// `type` of a value that is an array.
pub(super) const ARRAY: u8 = any_value::ARRAY_VALUE >> 3;
/// `type` of a value that is a list of pairs.
pub(super) const KEY_VALUE_LIST: u8 = any_value::KVLIST_VALUE >> 3;

/// All tables of a signal, checked.
#[derive(Debug)]
pub(super) struct Tables<'a>(Vec<Checked<'a>>);

/// A table that was checked; a missing one has no rows.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    name: &'static str,
    rows: usize,
    columns: Vec<(&'static str, ColumnRef<'a>)>,
}

impl<'a> Tables<'a> {
    /// Checks all tables of a signal.
    pub(super) fn check(signal: Signal, source: &dyn Fn(&str) -> Option<TableRef<'a>>) -> Result<Self, WriteError> {
        let items: &[&str] = match signal {
            Signal::Traces => &["spans"],
            Signal::Logs => &["log_records"],
            Signal::Metrics => &["metrics", "points"],
        };
        let (mut tables, mut missing) = (Vec::new(), Vec::new());
        for kind in contract::tables(signal) {
            tables.push(match source(kind.name) {
                Some(table) => Checked::check(kind, &table)?,
                None if items.contains(&kind.name) => return Err(Problem::MissingTable.at(kind.name)),
                None => {
                    missing.push(kind.name);
                    Checked { name: kind.name, rows: 0, columns: Vec::new() }
                }
            });
        }
        let mut tables = Self(tables);
        // What would belong to scopes and resources that are not there belongs to a single empty one.
        for (parent, child) in [("scopes", items[0]), ("resources", "scopes")] {
            if missing.contains(&parent) {
                let rows = tables.get(child).rows.min(1);
                tables.0.iter_mut().filter(|table| table.name == parent).for_each(|table| table.rows = rows);
            }
        }
        for kind in contract::tables(signal) {
            tables.check_references(kind)?;
        }
        Ok(tables)
    }

    /// The table of a name that the signal has.
    pub(super) fn get(&self, name: &str) -> &Checked<'a> {
        self.0.iter().find(|table| table.name == name).expect("the contract has all tables that the writer asks for")
    }

    /// Checks the columns of a table that refer to other tables.
    fn check_references(&self, kind: &TableType) -> Result<(), WriteError> {
        let table = self.get(kind.name);
        for &(name, column) in kind.columns {
            let path = || format!("{}.{name}", kind.name);
            let row = |row: usize| format!("{}.{name}[{row}]", kind.name);
            match column {
                ColumnType::Offsets(child) => {
                    let (offsets, rows) = (table.children(name).0, self.get(child).rows);
                    match (offsets.first(), offsets.last()) {
                        (Some(&first), Some(&last)) => {
                            if first != 0 {
                                return Err(Problem::OffsetsStart { found: first }.at(row(0)));
                            }
                            check_order(offsets).map_err(|(place, problem)| problem.at(row(place)))?;
                            if last as usize != rows {
                                return Err(Problem::OffsetsEnd { table: child, rows, found: last }.at(path()));
                            }
                        }
                        _ if rows > 0 => {
                            return Err(Problem::NoOffsets { table: kind.name, column: name }.at(child));
                        }
                        _ => {}
                    }
                }
                ColumnType::RowOf(parent) => {
                    let (Values(values), rows) = (table.values::<u32>(name), self.get(parent).rows);
                    let found = values.iter().position(|&value| value as usize >= rows).map(|at| (at, values[at]));
                    // Of a column that is not there all rows are 0.
                    let found = found.or((values.is_empty() && table.rows > 0 && rows == 0).then_some((0, 0)));
                    if let Some((place, found)) = found {
                        return Err(Problem::NoSuchRow { table: parent, rows, found }.at(row(place)));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Checked<'a> {
    /// Checks a table by itself.
    fn check(kind: &TableType, table: &TableRef<'a>) -> Result<Self, WriteError> {
        let rows = table.rows;
        if u32::try_from(rows).is_err() {
            return Err(Problem::TooManyRows { rows }.at(kind.name));
        }
        if rows > 0 && table.columns.is_empty() {
            return Err(Problem::NoColumns.at(kind.name));
        }
        let mut checked = Self { name: kind.name, rows, columns: Vec::with_capacity(table.columns.len()) };
        for &(name, column) in &table.columns {
            let path = || format!("{}.{name}", kind.name);
            let Some(&(name, expected)) = kind.columns.iter().find(|(known, _)| *known == name) else {
                return Err(Problem::UnknownColumn.at(path()));
            };
            if checked.find(name).is_some() {
                return Err(Problem::RepeatedColumn.at(path()));
            }
            check_column(column, expected, rows).map_err(|(row, problem)| match row {
                Some(row) => problem.at(format!("{}[{row}]", path())),
                None => problem.at(path()),
            })?;
            if let ColumnRef::U8(numbers) = column {
                check_numbers(name, numbers).map_err(|(row, problem)| problem.at(format!("{}[{row}]", path())))?;
            }
            checked.columns.push((name, column));
        }
        for (types, contents) in [("type", "bytes"), ("body_type", "body_bytes")] {
            checked.check_containers(types, contents)?;
        }
        Ok(checked)
    }

    /// Checks the arrays and lists of pairs among values, which are there as they are encoded.
    fn check_containers(&self, types: &str, contents: &str) -> Result<(), WriteError> {
        let (Values(numbers), bytes) = (self.values::<u8>(types), self.bytes(contents));
        for (row, &number) in numbers.iter().enumerate() {
            if matches!(number, ARRAY | KEY_VALUE_LIST) {
                check_container(number, bytes.get(row), value_depth(self.name))
                    .map_err(|error| Problem::Container(error).at(format!("{}.{contents}[{row}]", self.name)))?;
            }
        }
        Ok(())
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    fn find(&self, name: &str) -> Option<ColumnRef<'a>> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    /// A column of numbers or ids.
    pub(super) fn values<T: Element>(&self, name: &str) -> Values<'a, T> {
        Values(self.find(name).and_then(T::of).unwrap_or_default())
    }

    /// A column of strings.
    pub(super) fn texts(&self, name: &str) -> TextRef<'a> {
        match self.find(name) {
            Some(ColumnRef::Text(texts)) => texts,
            _ => TextRef::default(),
        }
    }

    /// A column of byte strings.
    pub(super) fn bytes(&self, name: &str) -> BytesRef<'a> {
        match self.find(name) {
            Some(ColumnRef::Bytes(bytes)) => bytes,
            _ => BytesRef::default(),
        }
    }

    /// A column of offsets.
    pub(super) fn children(&self, name: &str) -> Children<'a> {
        match self.find(name) {
            Some(ColumnRef::Offsets(offsets)) => Children(offsets),
            _ => Children(&[]),
        }
    }
}

/// Which rows of another table belong to each row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Children<'a>(&'a [u32]);

impl Children<'_> {
    /// Those that belong to a row.
    #[inline(always)]
    pub(super) fn rows(self, row: usize) -> Range<usize> {
        match self.0.get(row..) {
            Some(&[start, end, ..]) => start as usize..end as usize,
            _ => 0..0,
        }
    }
}

/// A problem, and the row in which it lies.
type At<Row> = (Row, Problem);

/// Checks a column by itself.
fn check_column(column: ColumnRef<'_>, expected: ColumnType, rows: usize) -> Result<(), At<Option<usize>>> {
    use ColumnType as Type;
    let is_of_type = matches!(
        (expected, column),
        (Type::U8, ColumnRef::U8(_))
            | (Type::I32, ColumnRef::I32(_))
            | (Type::U32 | Type::RowOf(_), ColumnRef::U32(_))
            | (Type::I64, ColumnRef::I64(_))
            | (Type::U64, ColumnRef::U64(_))
            | (Type::F64, ColumnRef::F64(_))
            | (Type::SpanId, ColumnRef::SpanIds(_))
            | (Type::TraceId, ColumnRef::TraceIds(_))
            | (Type::Text, ColumnRef::Text(_))
            | (Type::Bytes, ColumnRef::Bytes(_))
            | (Type::Offsets(_), ColumnRef::Offsets(_))
    );
    if !is_of_type {
        return Err((None, Problem::WrongType { expected }));
    }
    let expected = if matches!(expected, Type::Bytes | Type::Offsets(_)) { rows + 1 } else { rows };
    if column.len() != expected {
        return Err((None, Problem::WrongLength { expected, found: column.len() }));
    }
    match column {
        ColumnRef::Text(texts) => check_texts(texts),
        ColumnRef::Bytes(bytes) => check_bytes(bytes).map_err(|(row, problem)| (Some(row), problem)),
        _ => Ok(()),
    }
}

fn check_texts(texts: TextRef<'_>) -> Result<(), At<Option<usize>>> {
    let TextRef { codes, dictionary } = texts;
    check_dictionary(dictionary).map_err(|problem| (None, problem))?;
    let strings = dictionary.len();
    match codes.iter().position(|&code| code as usize >= strings) {
        Some(row) => Err((Some(row), Problem::NoSuchString { strings, found: codes[row] })),
        None => Ok(()),
    }
}

/// Checks that all strings of a dictionary are UTF-8.
fn check_dictionary(dictionary: BytesRef<'_>) -> Result<(), Problem> {
    check_bytes(dictionary).map_err(|(_, problem)| problem)?;
    let &[first, .., last] = dictionary.offsets else { return Ok(()) };
    let content = &dictionary.data[first as usize..last as usize];
    // All strings together are UTF-8, and each begins where a character does.
    let wrong = match std::str::from_utf8(content) {
        Ok(text) => dictionary.offsets.iter().position(|offset| !text.is_char_boundary((offset - first) as usize)),
        Err(error) => {
            let place = first as usize + error.valid_up_to();
            Some(dictionary.offsets.partition_point(|&offset| offset as usize <= place))
        }
    };
    match wrong {
        // The offset behind a string is the start of the next one.
        Some(place) => Err(Problem::InvalidUtf8 { string: place.saturating_sub(1) }),
        None => Ok(()),
    }
}

fn check_bytes(bytes: BytesRef<'_>) -> Result<(), At<usize>> {
    check_order(bytes.offsets)?;
    match bytes.offsets.last() {
        Some(&offset) if offset as usize > bytes.data.len() => {
            Err((bytes.len().saturating_sub(1), Problem::OffsetPastEnd { offset, len: bytes.data.len() }))
        }
        _ => Ok(()),
    }
}

fn check_order(offsets: &[u32]) -> Result<(), At<usize>> {
    match offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        Some(row) => Err((row, Problem::OffsetsDecrease)),
        None => Ok(()),
    }
}

/// Checks a column of numbers that stand for something.
fn check_numbers(column: &str, numbers: &[u8]) -> Result<(), At<usize>> {
    let (is_known, expected): (fn(u8) -> bool, _) = match column {
        "type" => (|number| number <= 7, "the type of a value, 0 to 7"),
        "body_type" => (|number| matches!(number, 0..=7 | ABSENT), "the type of a body, 0 to 7 or 255"),
        "value_type" => (|number| number <= 2, "the type of a point's value, 0 to 2"),
        "presence" => (|number| number <= 7, "three bits, 0 to 7"),
        "kind" => (|number| matches!(number, 0 | 5 | 7 | 9 | 10 | 11), "the kind of a metric: 0, 5, 7, 9, 10 or 11"),
        _ => return Ok(()),
    };
    match numbers.iter().position(|&number| !is_known(number)) {
        Some(row) => Err((row, Problem::NoSuchValue { expected, found: numbers[row] })),
        None => Ok(()),
    }
}

/// The depth of the values in a table, the request being at depth 0.
fn value_depth(table: &str) -> u32 {
    match table {
        "resources.attributes" | "log_records" => 4,
        "scopes.attributes" | "spans.attributes" | "log_records.attributes" | "metrics.metadata" => 5,
        "events.attributes" | "links.attributes" => 6,
        "points.attributes" => 7,
        _ => 8, // exemplars.attributes
    }
}

/// Checks the content of an array or a list of pairs that is a value at `depth`.
fn check_container(number: u8, content: &[u8], depth: u32) -> Result<(), ReadError> {
    match number {
        ARRAY => ArrayValue::new(content).check(depth + 1, MAX_MESSAGE_DEPTH),
        _ => KeyValueList::new(content).check(depth + 1, MAX_MESSAGE_DEPTH),
    }
}
