//! From the names of keys to the columns of a decoded request.

use super::key::{Codes, Key, KeyColumn};
use super::{Red, RedError, Spans};
use crate::decode::Columns;
use crate::table::{Column, Table};
use foldhash::fast::RandomState;
use otlp_schema::fields::any_value::{
    ARRAY_VALUE, BOOL_VALUE, BYTES_VALUE, DOUBLE_VALUE, INT_VALUE, KVLIST_VALUE, STRING_VALUE,
};
use otlp_schema::signal::Signal;
use otlp_wire::ReadError;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

impl Red {
    /// Counts the spans of a request by keys: `name`, `kind`, `status_code`, `scope.name`, `scope.version`, and
    /// attributes as `resource.KEY`, `scope.attributes.KEY` and `attributes.KEY`.
    ///
    /// `attribute` gives the attributes of a key in a table, as [`crate::attributes::column`] does, or as they were
    /// kept since they were asked for before.
    ///
    /// # Errors
    /// A key that there is not, or that is there twice; more groups than `max_groups`; what `attribute` gives.
    pub fn of(
        columns: &Columns,
        by: &[String],
        max_groups: usize,
        attribute: impl Fn(&str, &str) -> Result<Option<Arc<Table>>, ReadError>,
    ) -> Result<Self, RedError> {
        if columns.signal() != Signal::Traces {
            return Err(RedError::NotTraces);
        }
        let mut keys: Vec<KeyColumn<'_>> = Vec::with_capacity(by.len());
        for name in by {
            if keys.iter().any(|key| key.name == *name) {
                return Err(RedError::RepeatedKey(name.clone()));
            }
            let (codes, values) = resolve(columns, name, &attribute)?;
            keys.push(KeyColumn { name: name.clone(), codes, values });
        }
        let spans = columns.items();
        let column = |name| spans.column(name);
        let (Some(Column::U32(scope)), Some(Column::U64(start)), Some(Column::U64(end)), Some(Column::I32(status))) =
            (column("scope"), column("start_time_unix_nano"), column("end_time_unix_nano"), column("status_code"))
        else {
            return Err(RedError::NotTraces);
        };
        let spans = Spans { scope, start_time_unix_nano: start, end_time_unix_nano: end, status_code: status };
        Self::count(spans, keys, max_groups)
    }
}

/// The types of values, as the column `type` has them.
const TEXT: u8 = STRING_VALUE >> 3;
const BOOL: u8 = BOOL_VALUE >> 3;
const INT: u8 = INT_VALUE >> 3;
const DOUBLE: u8 = DOUBLE_VALUE >> 3;
const ARRAY: u8 = ARRAY_VALUE >> 3;
const KEY_VALUE_LIST: u8 = KVLIST_VALUE >> 3;
const BYTES: u8 = BYTES_VALUE >> 3;

type CodesAndValues<'a> = (Codes<'a>, Vec<Key<'a>>);

fn resolve<'a>(
    columns: &'a Columns,
    name: &str,
    attribute: impl Fn(&str, &str) -> Result<Option<Arc<Table>>, ReadError>,
) -> Result<CodesAndValues<'a>, RedError> {
    let unknown = || RedError::UnknownKey(name.to_owned());
    let column = |table, column| columns.core(table).and_then(|core| core.table.column(column)).ok_or_else(unknown);
    let attribute =
        |table, key| -> Result<_, RedError> { Ok(of_attribute(&*attribute(table, key)?.ok_or_else(unknown)?)) };
    if let Some(key) = name.strip_prefix("attributes.") {
        let (codes, values) = attribute("spans", key)?;
        return Ok((Codes::BySpan(codes.into()), values));
    }
    if let Some(key) = name.strip_prefix("scope.attributes.") {
        let (codes, values) = attribute("scopes", key)?;
        return Ok((Codes::ByScope(codes), values));
    }
    if let Some(key) = name.strip_prefix("resource.") {
        let (codes, values) = attribute("resources", key)?;
        let Column::U32(resources) = column("scopes", "resource")? else { return Err(unknown()) };
        let codes = resources.iter().map(|&resource| codes[resource as usize]).collect();
        return Ok((Codes::ByScope(codes), values));
    }
    let column = match name {
        "name" | "kind" | "status_code" => column("spans", name)?,
        "scope.name" => column("scopes", "name")?,
        "scope.version" => column("scopes", "version")?,
        _ => return Err(unknown()),
    };
    let (codes, values) = match column {
        Column::Text(text) => {
            (Cow::Borrowed(&text.codes[..]), text.dictionary.iter().map(|text| Key::Text(text.into())).collect())
        }
        Column::I32(numbers) => of_enum(numbers),
        _ => return Err(unknown()),
    };
    let is_of_scope = name.starts_with("scope.");
    Ok((if is_of_scope { Codes::ByScope(codes.into_owned()) } else { Codes::BySpan(codes) }, values))
}

/// Numbers that nearly always are small and never negative.
fn of_enum(numbers: &[i32]) -> (Cow<'static, [u32]>, Vec<Key<'static>>) {
    const SMALL: i32 = 16;
    if numbers.iter().all(|number| (0..SMALL).contains(number)) {
        let codes = numbers.iter().map(|&number| number as u32).collect();
        return (codes, (0..i64::from(SMALL)).map(Key::Int).collect());
    }
    let mut distinct = Distinct::starting_at(0);
    let codes = numbers.iter().map(|&number| distinct.code(number)).collect();
    (codes, distinct.values.into_iter().map(|number| Key::Int(number.into())).collect())
}

/// The values of an attribute: first what is absent, then the dictionary of text, then what else turns up.
fn of_attribute(table: &Table) -> (Vec<u32>, Vec<Key<'static>>) {
    let (texts, ints) = (table.column("text"), table.column("int"));
    let (doubles, bytes) = (table.column("double"), table.column("bytes"));
    let mut values = vec![Key::Absent];
    if let Some(Column::Text(text)) = texts {
        values.extend(text.dictionary.iter().map(|text| Key::Text(text.to_owned().into())));
    }
    let mut others: Distinct<(u8, u64, &[u8])> = Distinct::starting_at(values.len() as u32);
    let mut code = |row: usize, kind: u8| match (kind, texts, ints, doubles, bytes) {
        (TEXT, Some(Column::Text(text)), ..) => 1 + text.codes[row],
        (BOOL | INT, _, Some(Column::I64(ints)), ..) => others.code((kind, ints[row] as u64, &[])),
        (DOUBLE, _, _, Some(Column::F64(doubles)), _) => others.code((kind, doubles[row].to_bits(), &[])),
        (ARRAY | KEY_VALUE_LIST | BYTES, .., Some(Column::Bytes(bytes))) => {
            others.code((kind, 0, bytes.get(row).unwrap_or_default()))
        }
        _ => 0,
    };
    let Some(Column::U8(kinds)) = table.column("type") else { return (vec![0; table.rows], values) };
    let codes = kinds.iter().enumerate().map(|(row, &kind)| code(row, kind)).collect();
    values.extend(others.values.into_iter().map(|(kind, number, bytes)| match kind {
        BOOL => Key::Bool(number != 0),
        INT => Key::Int(number as i64),
        DOUBLE => Key::Double(f64::from_bits(number)),
        _ => Key::Encoded(kind, bytes.to_vec().into()),
    }));
    (codes, values)
}

/// Numbers distinct values as they turn up.
struct Distinct<T> {
    codes: HashMap<T, u32, RandomState>,
    values: Vec<T>,
    first: u32,
}

impl<T: Copy + Eq + Hash> Distinct<T> {
    fn starting_at(first: u32) -> Self {
        Self { codes: HashMap::default(), values: Vec::new(), first }
    }

    fn code(&mut self, value: T) -> u32 {
        *self.codes.entry(value).or_insert_with(|| {
            self.values.push(value);
            self.first + self.values.len() as u32 - 1
        })
    }
}
